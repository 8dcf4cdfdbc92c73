using System.Buffers.Binary;
using Varve.Format;
using Varve.Memory;

namespace Varve.Tables;

/// <summary>
/// The rows of the next block of a table. Keys are gathered; values stay where they are until the block is put together
/// in the write buffer, so that they are copied once. One thread.
/// </summary>
/// <param name="blockBytes">Where a block is closed.</param>
/// <param name="valueBytesMax">No value here is longer.</param>
internal sealed unsafe class TableBlockBuilder(int blockBytes, int valueBytesMax) : IDisposable
{
    private readonly NativeList<DataBlockRow> _rows = new();
    private readonly NativeList<nint> _values = new();
    private readonly NativeList<byte> _keys = new();
    private readonly NativeBuffer _copies = new();
    private int _copied;

    /// <summary>Rows gathered.</summary>
    public int Count => _rows.Count;

    /// <summary>Bytes of their keys and values.</summary>
    public long Bytes { get; private set; }

    /// <summary>The key of the last row, of which there is one; lives until the next call.</summary>
    public ReadOnlySpan<byte> LastKey => _keys.Span.Slice(_rows.Span[^1].KeyOffset, _rows.Span[^1].KeyLength);

    /// <summary>False when the block is to be closed before a row with a key and value of these lengths.</summary>
    public bool HasRoomFor(int keyLength, int valueLength) =>
        _rows.Count == 0 || _rows.Count < DataBlockHeader.RowsMax
            && DataBlock.ExtentMax(_rows.Count + 1, 0, Bytes + keyLength + valueLength) <= blockBytes;

    /// <summary>Takes a row for which there is room.</summary>
    /// <param name="row">The row; its key is copied.</param>
    /// <param name="copiesValue">False: the value stays where it is until the block is written.</param>
    public void Add(in RowRef row, bool copiesValue)
    {
        var key = row.Key;
        _rows.Add(new DataBlockRow(
            _keys.Count, (ushort)key.Length, 0, row.ValueLength, row.Kind, row.Deadline, DataBlock.TagOf(row.Hash)));
        _values.Add((nint)(copiesValue ? CopyOf(row) : row.ValueAddress));
        _keys.AddRange(key);
        Bytes += key.Length + row.ValueLength;
    }

    /// <summary>Writes the block, its first line into the index too, and begins the next.</summary>
    public void WriteTo(TableOutput output, ulong salt, NativeList<byte> lines)
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
            if (row.Kind != RecordKind.LeasedPut) continue;
            BinaryPrimitives.WriteUInt64LittleEndian(rest, row.Deadline);
            rest = rest[sizeof(ulong)..];
        }
        var extent = DataBlock.Seal(room, header, salt, output.Position);
        lines.AddRange(room[..DataBlockHeader.HeadsOffset]);
        output.Commit(extent);
        _rows.Clear();
        _values.Clear();
        _keys.Clear();
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
    /// A copy that stays until the block is written: rows of a block have a block's bytes together, or there is only
    /// one.
    /// </summary>
    private byte* CopyOf(in RowRef row)
    {
        _copies.Reserve(blockBytes + valueBytesMax);
        var copy = _copies.Address + _copied;
        new ReadOnlySpan<byte>(row.ValueAddress, row.ValueLength).CopyTo(new Span<byte>(copy, row.ValueLength));
        _copied += row.ValueLength;
        return copy;
    }
}
