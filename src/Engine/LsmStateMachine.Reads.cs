using System.Buffers;

namespace Varve;

public sealed partial class LsmStateMachine
{
    /// <summary>The number of live keys, exact at one applied index. Costs by what was applied since the last call, and by what expired.</summary>
    public long Count => _reads.Count();

    /// <inheritdoc/>
    public bool IsEmpty => Count == 0;

    /// <inheritdoc/>
    public byte[]? Get(ReadOnlySpan<byte> key) => _reads.Get(key);

    /// <inheritdoc/>
    public byte[]?[] GetMulti(IReadOnlyList<ReadOnlyMemory<byte>> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        return _reads.GetMulti(keys);
    }

    /// <summary>Copies the value of a key, as much of it as fits. No allocation.</summary>
    /// <param name="key">The key.</param>
    /// <param name="destination">Receives the value, or its beginning.</param>
    /// <returns>The value's length in bytes, also where it is more than fits; -1 if the key is absent.</returns>
    public int Read(ReadOnlySpan<byte> key, Span<byte> destination) => _reads.Read(key, destination);

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
    public ReadView OpenView() => _sessions.OpenView();
}
