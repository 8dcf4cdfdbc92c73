using System.Runtime.CompilerServices;
using Varve.Format;

namespace Varve.Tables;

/// <summary>
/// A row of a table, without its key; the default is no row. The value lives in the table's mapping: until the table is disposed,
/// which the caller's pin prevents. Sixteen bytes, so that it travels in registers.
/// </summary>
internal readonly unsafe struct TableRow(RecordKind kind, byte* value, int valueLength)
{
    private readonly byte* value = value;
    private readonly int valueLength = valueLength;
    private readonly RecordKind kind = kind;

    /// <summary>False: there is no row.</summary>
    public bool Exists => value != null;

    public RecordKind Kind => kind;

    /// <summary>Unix milliseconds; 0 unless the row is a leased put, whose value it follows.</summary>
    public ulong Deadline => kind == RecordKind.LeasedPut ? Unsafe.ReadUnaligned<ulong>(value + valueLength) : 0;

    public byte* ValueAddress => value;

    public int ValueLength => valueLength;

    public ReadOnlySpan<byte> Value => new(value, valueLength);
}
