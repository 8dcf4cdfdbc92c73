using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>
/// Enumerates the rows of a data block that <see cref="DataBlock.TryValidate"/> has accepted, over spans. The engine
/// reads rows in place instead.
/// </summary>
internal ref struct DataBlockRows
{
    private readonly ReadOnlySpan<byte> _block;
    private readonly DataBlockHeader _header;
    private readonly byte[] _key = new byte[ushort.MaxValue + KeyHead.Bytes];
    private int _row = -1;
    private int _keyLength;

    public DataBlockRows(ReadOnlySpan<byte> block)
    {
        _block = block;
        _header = DataBlockShape.ReadHeader(block);
        Prefix.CopyTo(_key);
    }

    public readonly int Count => _header.Count;

    public readonly DataBlockFlags Flags => _header.Flags;

    public readonly ReadOnlySpan<byte> Prefix => _block.Slice(_header.PrefixOffset, _header.PrefixLength);

    /// <summary>The whole key of the current row; valid until the next row.</summary>
    public readonly ReadOnlySpan<byte> Key => _key.AsSpan(0, _keyLength);

    public RecordKind Kind { get; private set; }

    /// <summary>Deadline of a leased put, in Unix milliseconds.</summary>
    public ulong Deadline { get; private set; }

    public int ValueLength { get; private set; }

    /// <summary>Offset of the row's own bytes in the block.</summary>
    public int RowOffset { get; private set; }

    public bool MoveNext()
    {
        if (++_row >= Count) return false;
        var (begin, end) = (RowBegin(_row), RowBegin(_row + 1));
        _keyLength = _header.HasFixedKeys
            ? _header.KeyLength
            : BinaryPrimitives.ReadUInt16LittleEndian(_block[(_header.KeyLengthsOffset + 2 * _row)..]);
        Kind = _header.HasOnlyPuts ? RecordKind.Put : (RecordKind)_block[_header.KindsOffset + _row];

        // A key is the block's prefix, then up to eight bytes of head, then the row's own bytes.
        var tail = DataBlockHeader.TailBytes(_keyLength, _header.PrefixLength);
        var head = BinaryPrimitives.ReadUInt64LittleEndian(_block[(DataBlockHeader.HeadsOffset + 8 * _row)..]);
        BinaryPrimitives.WriteUInt64BigEndian(_key.AsSpan(_header.PrefixLength), head);
        _block.Slice(begin, tail).CopyTo(_key.AsSpan(_header.PrefixLength + KeyHead.Bytes));

        RowOffset = begin;
        var trailer = Kind == RecordKind.LeasedPut ? sizeof(ulong) : 0;
        Deadline = trailer == 0 ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(_block[(end - trailer)..]);
        ValueLength = end - trailer - begin - tail;
        return true;
    }

    private readonly int RowBegin(int row) => _header.RowsOffset + (_header.HasFixedRows
        ? (int)_header.RowBytes * row
        : (int)BinaryPrimitives.ReadUInt32LittleEndian(_block[(_header.RowOffsetsOffset + 4 * row)..]));
}
