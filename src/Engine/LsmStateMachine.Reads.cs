using System.Buffers;
using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Versions;
using Varve.Wal;

namespace Varve;

public sealed partial class LsmStateMachine
{
    /// <summary>The number of live keys, exact at one applied index. Costs by what was applied since the last call, and by what expired.</summary>
    public long Count
    {
        get
        {
            while (true)
            {
                _pins.Enter();
                try
                {
                    _state.EnsureReadable();
                    var version = ReadPoint(out var position);
                    if (version.Incarnation.Census.TryCount(version, position.Index, _clock.LeaseTime(position.LogTimeMs), out var count)) return count;
                }
                finally
                {
                    LeaveRead();
                }
            }
        }
    }

    /// <inheritdoc/>
    public bool IsEmpty => Count == 0;

    /// <inheritdoc/>
    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        var slot = _pins.Enter();
        try
        {
            var found = FindLive(key);
            return found.Exists ? found.Value.ToArray() : null;
        }
        finally
        {
            LeaveRead(slot);
        }
    }

    /// <inheritdoc/>
    public byte[]?[] GetMulti(IReadOnlyList<ReadOnlyMemory<byte>> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var values = new byte[]?[keys.Count];
        _pins.Enter();
        try
        {
            _state.EnsureReadable();
            var version = ReadPoint(out var position);
            var time = _clock.LeaseTime(position.LogTimeMs);
            var group = default(KeyGroup);
            for (var first = 0; first < values.Length; first += GroupFind.KeysMax)
            {
                var count = Math.Min(values.Length - first, GroupFind.KeysMax);
                for (var i = 0; i < count; i++) group[i] = keys[first + i];
                GetGroup(version, position.Index, time, group[..count], values.AsSpan(first, count));
            }
        }
        finally
        {
            LeaveRead();
        }

        return values;
    }

    private static void GetGroup(Versions.Version version, ulong revision, ulong time, ReadOnlySpan<ReadOnlyMemory<byte>> keys, Span<byte[]?> values)
    {
        Span<Found> found = stackalloc Found[keys.Length];
        GroupFind.Find((version.Memtables, version.MemtableHasher), (version.Runs, version.TableHasher), keys, revision, found);
        for (var i = 0; i < values.Length; i++)
            if (found[i].IsLiveAt(time)) values[i] = found[i].Value.ToArray();
    }

    /// <summary>Copies the value of a key, as much of it as fits. No allocation.</summary>
    /// <param name="key">The key.</param>
    /// <param name="destination">Receives the value, or its beginning.</param>
    /// <returns>The value's length in bytes, also where it is more than fits; -1 if the key is absent.</returns>
    public int Read(ReadOnlySpan<byte> key, Span<byte> destination)
    {
        var slot = _pins.Enter();
        try
        {
            var found = FindLive(key);
            return found.Exists ? found.CopyTo(destination) : -1;
        }
        finally
        {
            LeaveRead(slot);
        }
    }

    /// <summary>Writes the value of a key to a buffer writer. No allocation of its own.</summary>
    /// <param name="key">The key.</param>
    /// <param name="destination">Receives the value whole.</param>
    /// <returns>False if the key is absent; nothing is written then.</returns>
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using var view = OpenView(); // and no pin: the caller's code may take as long as it likes
        if (!view.TryGet(key, out var value)) return false;
        destination.Write(value);
        return true;
    }

    /// <inheritdoc/>
    public ScanResult ScanPrefix(ReadOnlySpan<byte> prefix)
    {
        var entries = new List<KeyValueEntry>();
        using var view = OpenView();
        foreach (var entry in view.ScanPrefix(prefix)) entries.Add(new KeyValueEntry(entry.Key.ToArray(), entry.Value.ToArray()));
        return new ScanResult(entries, view.Revision);
    }

    /// <summary>
    /// Opens a view of the present state: every read through it is of one revision, and spans point into the engine's own memory. Use
    /// and dispose it on this thread. A view that stays open keeps the memtables and tables that it reads from being let go, and nothing that is written
    /// after it was opened; <see cref="EngineStatistics.OpenViews"/> and what follows it tell of that.
    /// </summary>
    public ReadView OpenView()
    {
        var now = _viewClock.Now();
        var slot = _pins.Enter();
        try
        {
            _state.EnsureReadable();
            var version = ReadPoint(out var position);
            var context = _views.Free(slot);
            context.Open(version, position, now);
            return new ReadView(context);
        }
        finally
        {
            LeaveRead(slot); // the context holds the version by now
        }
    }

    /// <summary>Ends a view on the thread that opened it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void CloseView(ViewContext context)
    {
        var version = context.Version;
        context.Close();
        if (version != _versions.Current || _state.IsClosed) CollectAfterView();
    }

    /// <summary>Has somebody let go of what the view may have been the last to see: not this thread, unless there is no other any more.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CollectAfterView()
    {
        if (_state.IsClosed) CollectAfterClose();
        else if (_background is { } background) background.Wake();
        else _versions.Reclaimer.Collect();
    }

    /// <summary>The end of a read: the last one out of a closed engine lets go of its memory.</summary>
    internal void LeaveRead()
    {
        _pins.Exit();
        if (_state.IsClosed) CollectAfterClose();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void LeaveRead(PinTable.Slot slot)
    {
        PinTable.Exit(slot);
        if (_state.IsClosed) CollectAfterClose();
    }

    /// <summary>The time by which a view judges leases; asked for when its first lease is met.</summary>
    internal ulong LeaseTimeOf(in LogPosition position) => _clock.LeaseTime(position.LogTimeMs);

    /// <summary>The live value of a key at the present revision, or none; under a pin.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Found FindLive(ReadOnlySpan<byte> key)
    {
        _state.EnsureReadable();
        Versions.Version version;
        ulong revision;
        do
        {
            version = _versions.Current; // as ReadPoint does it
            revision = version.Applied.Index;
        }
        while (version != _versions.Current);
        var found = version.Find(key, revision);
        return found.Kind == RecordKind.LeasedPut ? FindLeased(key) : found.Kind == RecordKind.Put ? found : default;
    }

    /// <summary>Begins again with the whole position: a lease wants the time that goes with the revision.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Found FindLeased(ReadOnlySpan<byte> key)
    {
        var version = ReadPoint(out var position);
        var found = version.Find(key, position.Index);
        return found.IsLiveAt(_clock.LeaseTime(position.LogTimeMs)) ? found : default;
    }

    [InlineArray(GroupFind.KeysMax)]
    private struct KeyGroup
    {
        private ReadOnlyMemory<byte> _first;
    }
}
