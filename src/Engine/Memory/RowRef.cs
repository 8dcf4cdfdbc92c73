using Varve.Format;

namespace Varve.Memory;

/// <summary>
/// A row in place, on its way from a memtable or a table to another table. The key lives until its input moves, the
/// value as long as the mapping that it is in; the mover of rows has a reference to that mapping.
/// </summary>
internal readonly struct RowRef
{
    private readonly int _keyLength;

    // SAFETY: these members show the key in the input's buffer and the value in a mapped segment or table. Both are as
    // long as their input said, and live as the summary states.
    private readonly unsafe byte* _key;

    public unsafe byte* ValueAddress { get; }

    public unsafe ReadOnlySpan<byte> Key => new(_key, _keyLength);

    // SAFETY: the input passes its own key and value, with their lengths.
    public unsafe RowRef(
        byte* key, int keyLength, ulong hash, RecordKind kind, ulong deadline, byte* value, int valueLength)
    {
        _key = key;
        ValueAddress = value;
        (_keyLength, Hash, Kind, Deadline, ValueLength) = (keyLength, hash, kind, deadline, valueLength);
    }

    /// <summary><see cref="KeyHasher.Of"/> of the key, with the seed of the table that the row goes to.</summary>
    public ulong Hash { get; }

    public RecordKind Kind { get; }

    /// <summary>Unix milliseconds; 0 unless the row is a leased put.</summary>
    public ulong Deadline { get; }

    public int ValueLength { get; }

    /// <summary>True if the row is a put that has not expired at a time.</summary>
    public bool IsLiveAt(ulong timeMs) => Liveness.IsLive(Kind, Deadline, timeMs);
}
