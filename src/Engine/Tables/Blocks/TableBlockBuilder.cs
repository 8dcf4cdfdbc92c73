using Varve.Format;
using Varve.Memory;

namespace Varve.Tables;

/// <summary>
/// The rows of the next block of a table. Keys are copied at once; values stay in place until the block is put together
/// in the write buffer, so that they are copied once. One thread.
/// </summary>
/// <param name="blockBytes">The length at which a block is finished.</param>
/// <param name="valueBytesMax">The length of the longest value.</param>
internal sealed class TableBlockBuilder(int blockBytes, int valueBytesMax) : IDisposable
{
    private readonly NativeList<DataBlockRow> _rows = new();
    private readonly NativeList<nint> _values = new();
    private readonly NativeList<byte> _keys = new();
    private readonly NativeBuffer _copies = new();
    private int _copied;

    /// <summary>The number of rows in the block.</summary>
    public int Count => _rows.Count;

    /// <summary>The number of bytes of their keys and values.</summary>
    public long Bytes { get; private set; }

    /// <summary>The key of the last row; valid until the next call. There is a row.</summary>
    public ReadOnlySpan<byte> LastKey => _keys.Span.Slice(_rows.Span[^1].KeyOffset, _rows.Span[^1].KeyLength);

    /// <summary>False if the block must be finished before a row with a key and value of these lengths.</summary>
    public bool HasRoomFor(int keyLength, int valueLength) =>
        _rows.Count == 0 || _rows.Count < DataBlockHeader.RowsMax
            && DataBlock.ExtentMax(_rows.Count + 1, 0, Bytes + keyLength + valueLength) <= blockBytes;

    /// <summary>Adds a row for which there is room.</summary>
    /// <param name="row">The row; its key is copied.</param>
    /// <param name="copiesValue">False if the value stays in place until the block is written.</param>
    // SAFETY: stores the value's address; WriteTo reads it under the contract above.
    public unsafe void Add(in RowRef row, bool copiesValue)
    {
        var key = row.Key;
        _rows.Add(new DataBlockRow(
            _keys.Count, (ushort)key.Length, 0, row.ValueLength, row.Kind, row.Deadline, DataBlock.TagOf(row.Hash)));
        _values.Add((nint)(copiesValue ? CopyOf(row) : row.ValueAddress));
        _keys.AddRange(key);
        Bytes += key.Length + row.ValueLength;
    }

    /// <summary>Writes the block, adds its first line to the index's lines, and begins the next block.</summary>
    // SAFETY: each value is in the copies or stays in place until now (Add), with the length that its row says.
    public unsafe void WriteTo(TableOutput output, ulong salt, NativeList<byte> lines)
    {
        var room = output.Reserve(checked((int)DataBlock.ExtentMax(_rows.Count, 0, Bytes)));
        var header = DataBlock.EncodeColumns(_rows.Span, _keys.Span, room);
        var rest = room[header.RowsOffset..];
        for (var i = 0; i < _rows.Count; i++)
        {
            ref readonly DataBlockRow row = ref _rows.Span[i];
            rest = rest[DataBlock.WriteTail(row, _keys.Span, header.PrefixLength, rest)..];
            new ReadOnlySpan<byte>((byte*)_values.Span[i], row.ValueLength).CopyTo(rest);
            rest = rest[row.ValueLength..];
            rest = rest[DataBlock.WriteTrailer(row.Kind, row.Deadline, rest)..];
        }
        var extent = DataBlock.Finish(room, header, salt, output.Position);
        lines.AddRange(room[..DataBlockHeader.HeadsOffset]);
        output.Commit(extent);
        _rows.DropItems();
        _values.DropItems();
        _keys.DropItems();
        _copied = 0;
        Bytes = 0;
    }

    public void Dispose()
    {
        _rows.Dispose();
        _values.Dispose();
        _keys.Dispose();
        _copies.Dispose();
    }

    /// <summary>
    /// Copies a value; the copy lives until the block is written.
    /// </summary>
    // SAFETY: the values of a block have at most its bytes together, or there is one value alone, of at most the
    // longest length. So the buffer has room, and never grows while a block has copies.
    private unsafe byte* CopyOf(in RowRef row)
    {
        _copies.Reserve(blockBytes + valueBytesMax);
        var copy = _copies.Address + _copied;
        new ReadOnlySpan<byte>(row.ValueAddress, row.ValueLength).CopyTo(new Span<byte>(copy, row.ValueLength));
        _copied += row.ValueLength;
        return copy;
    }
}
