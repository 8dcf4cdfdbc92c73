using System.Buffers;
using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.LiveKeys;
using Varve.Runtime;
using Varve.Tables;
using Varve.Versions;

namespace Varve.Reading;

/// <summary>
/// Reads at the present revision: of a key, a group of keys, a prefix, the count. Any thread; only the count takes a
/// lock.
/// </summary>
internal sealed class PointReads(
    VersionSet versions, ReadSessions sessions, LiveKeyCounter liveKeys, EngineState state)
{
    private const int EntriesAtFirst = 64; // of a page, whose limit may be far above what there is

    /// <inheritdoc cref="LsmStateMachine.Get"/>
    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        var slot = sessions.Enter();
        try
        {
            var found = FindLive(key);
            return found.Exists ? found.Value.ToArray() : null;
        }
        finally
        {
            sessions.Leave(slot);
        }
    }

    /// <inheritdoc cref="LsmStateMachine.Read"/>
    public int Read(ReadOnlySpan<byte> key, Span<byte> destination)
    {
        var slot = sessions.Enter();
        try
        {
            var found = FindLive(key);
            return found.Exists ? found.CopyTo(destination) : -1;
        }
        finally
        {
            sessions.Leave(slot);
        }
    }

    /// <inheritdoc cref="LsmStateMachine.TryGet"/>
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> destination)
    {
        using var view = sessions.OpenView(); // not a pin: the caller's code may take any time (I8)
        if (!view.TryGet(key, out var value)) return false;
        destination.Write(value);
        return true;
    }

    /// <inheritdoc cref="LsmStateMachine.ScanPrefix"/>
    public ScanResult ScanPrefix(ReadOnlySpan<byte> prefix)
    {
        var entries = new List<KeyValueEntry>();
        using var view = sessions.OpenView();
        foreach (var entry in view.ScanPrefix(prefix))
            entries.Add(CopyOf(entry));
        return new ScanResult(entries, view.Revision);
    }

    /// <inheritdoc cref="LsmStateMachine.ScanPage"/>
    public ScanPage ScanPage(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> after, int limit)
    {
        var entries = new List<KeyValueEntry>(Math.Min(limit, EntriesAtFirst));
        using var view = sessions.OpenView();
        using var scan = view.ScanPrefix(prefix);
        if (!after.IsEmpty) scan.Seek(after);
        while (scan.MoveNext())
        {
            var entry = scan.Current;
            if (entries.Count == 0 && entry.Key.SequenceEqual(after)) continue;
            if (entries.Count == limit) return new ScanPage(entries, view.Revision, entries[^1].Key);
            entries.Add(CopyOf(entry));
        }

        return new ScanPage(entries, view.Revision, default);
    }

    /// <inheritdoc cref="LsmStateMachine.GetMulti"/>
    public byte[]?[] GetMulti(IReadOnlyList<ReadOnlyMemory<byte>> keys)
    {
        var values = new byte[]?[keys.Count];
        var slot = sessions.Enter();
        try
        {
            state.EnsureReadable();
            var version = versions.ReadPoint(out var position);
            var time = sessions.Clock.LeaseTime(position.LogTimeMs);
            var group = default(KeyGroup);
            for (var first = 0; first < values.Length; first += MultiGet.KeysMax)
            {
                var count = Math.Min(values.Length - first, MultiGet.KeysMax);
                for (var i = 0; i < count; i++) group[i] = keys[first + i];
                GetGroup(version, position.Index, time, group[..count], values.AsSpan(first, count));
            }
        }
        finally
        {
            sessions.Leave(slot);
        }

        return values;
    }

    /// <inheritdoc cref="LsmStateMachine.Count"/>
    public long Count()
    {
        while (true)
        {
            var slot = sessions.Enter();
            try
            {
                state.EnsureReadable();
                var version = versions.ReadPoint(out var position);
                var time = sessions.Clock.LeaseTime(position.LogTimeMs);
                if (liveKeys.TryCount(version, position.Index, time, out var count)) return count;
            }
            finally
            {
                sessions.Leave(slot);
            }
        }
    }

    /// <inheritdoc cref="LsmStateMachine.EntryTerm"/>
    public ulong? EntryTerm(ulong index)
    {
        var slot = sessions.Enter();
        try
        {
            var version = versions.ReadPoint(out var position);
            return index == 0 || index > position.Index ? null : version.Generation.Terms.Find(index);
        }
        finally
        {
            sessions.Leave(slot);
        }
    }

    /// <inheritdoc cref="LsmStateMachine.ReadMark"/>
    public int ReadMark(Span<byte> destination)
    {
        var slot = sessions.Enter();
        try
        {
            state.EnsureReadable();
            versions.ReadPoint(out _, out var mark);
            return mark.CopyTo(destination);
        }
        finally
        {
            sessions.Leave(slot);
        }
    }

    /// <inheritdoc cref="LsmStateMachine.TryGetOutcome"/>
    public bool TryGetOutcome(ulong index, out ApplyResult result)
    {
        using (versions.EnterGate())
        {
            state.EnsureReadable();
            var generation = versions.Current.Generation;
            // Behind the published index there may be entries whose sync is under way.
            var outcome = index <= generation.Applied.Index ? generation.Outcomes.Find(index) : null;
            result = outcome is { } status ? new ApplyResult(index, status) : default;
            return outcome is not null;
        }
    }

    private static KeyValueEntry CopyOf(EntryView entry) =>
        new(entry.Key.ToArray(), entry.Value.ToArray()) { LeaseDeadlineMs = entry.LeaseDeadlineMs };

    private static void GetGroup(
        DbVersion version, ulong revision, ulong time, ReadOnlySpan<ReadOnlyMemory<byte>> keys, Span<byte[]?> values)
    {
        Span<KeyVersion> found = stackalloc KeyVersion[keys.Length];
        MultiGet.Find(
            (version.Memtables, version.MemtableHasher), (version.Runs, version.TableHasher), keys, revision, found);
        for (var i = 0; i < values.Length; i++)
            if (found[i].IsLiveAt(time)) values[i] = found[i].Value.ToArray();
    }

    /// <summary>The live value of a key at the present revision, or none; within a session.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private KeyVersion FindLive(ReadOnlySpan<byte> key)
    {
        state.EnsureReadable();
        var version = versions.ReadPointIndex(out var revision);
        var found = version.Find(key, revision);
        return found.Kind == RecordKind.LeasedPut ? FindLeased(key) : found.Kind == RecordKind.Put ? found : default;
    }

    /// <summary>Starts over with the whole position: a lease needs the time that belongs to the revision.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private KeyVersion FindLeased(ReadOnlySpan<byte> key)
    {
        var version = versions.ReadPoint(out var position);
        var found = version.Find(key, position.Index);
        return found.IsLiveAt(sessions.Clock.LeaseTime(position.LogTimeMs)) ? found : default;
    }

    [InlineArray(MultiGet.KeysMax)]
    private struct KeyGroup
    {
        private ReadOnlyMemory<byte> _first;
    }
}
