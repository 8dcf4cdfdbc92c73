using System.Runtime.CompilerServices;
using Varve.Format;

namespace Varve.Tables;

/// <summary>
/// A row of a table, without its key; the default is no row. The value lives in the table's mapping: until the table is
/// disposed, which the caller's pin prevents. Sixteen bytes, so that it travels in registers.
/// </summary>
internal readonly unsafe struct TableRow(RecordKind kind, byte* value, int valueLength)
{
    private readonly byte* _value = value;
    private readonly int _valueLength = valueLength;
    private readonly RecordKind _kind = kind;

    /// <summary>False: there is no row.</summary>
    public bool Exists => _value != null;

    public RecordKind Kind => _kind;

    /// <summary>Unix milliseconds; 0 unless the row is a leased put, whose value it follows.</summary>
    public ulong Deadline => _kind == RecordKind.LeasedPut ? Unsafe.ReadUnaligned<ulong>(_value + _valueLength) : 0;

    public byte* ValueAddress => _value;

    public int ValueLength => _valueLength;

    public ReadOnlySpan<byte> Value => new(_value, _valueLength);
}
