using Varve.Format;

namespace Varve.Memory;

/// <summary>
/// A row on its way from a memtable or a table to another table, where it stands. The key lives until its source moves
/// on; the value lives as long as its source's mapping, which whoever moves rows holds a reference of.
/// </summary>
internal readonly unsafe struct RowRef(
    byte* key, int keyLength, ulong hash, RecordKind kind, ulong deadline, byte* value, int valueLength)
{
    /// <summary><see cref="KeyHasher.Of"/> of the key, with the seed of the table that it goes to.</summary>
    public ulong Hash { get; } = hash;

    public RecordKind Kind { get; } = kind;

    /// <summary>Unix milliseconds; for leased puts.</summary>
    public ulong Deadline { get; } = deadline;

    public byte* ValueAddress { get; } = value;

    public int ValueLength { get; } = valueLength;

    public ReadOnlySpan<byte> Key => new(key, keyLength);
}
