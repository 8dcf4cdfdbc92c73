using Varve.Format;

namespace Varve.Tables;

/// <summary>
/// A row of a table, without its key. The value lives in the table's mapping: until the table is disposed, which the
/// caller's pin prevents.
/// </summary>
internal readonly unsafe struct TableRow(RecordKind kind, ulong deadline, byte* value, int valueLength)
{
    public RecordKind Kind { get; } = kind;

    /// <summary>Unix milliseconds; 0 unless the row is a leased put.</summary>
    public ulong Deadline { get; } = deadline;

    public byte* ValueAddress { get; } = value;

    public int ValueLength { get; } = valueLength;

    public ReadOnlySpan<byte> Value => new(ValueAddress, ValueLength);
}
