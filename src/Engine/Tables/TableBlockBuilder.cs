using System.Buffers.Binary;
using Varve.Format;
using Varve.Memory;

namespace Varve.Tables;

/// <summary>
/// The rows of the next block of a table. Keys are gathered; values stay where they are until the block is put together in the write
/// buffer, so that they are copied once. One thread.
/// </summary>
/// <param name="blockBytes">Where a block is closed.</param>
/// <param name="valueBytesMax">No value here is longer.</param>
internal sealed unsafe class TableBlockBuilder(int blockBytes, int valueBytesMax) : IDisposable
{
    private readonly NativeList<DataBlockRow> rows = new();
    private readonly NativeList<nint> values = new();
    private readonly NativeList<byte> keys = new();
    private readonly NativeBuffer copies = new();
    private int copied;

    /// <summary>Rows gathered.</summary>
    public int Count => rows.Count;

    /// <summary>Bytes of their keys and values.</summary>
    public long Bytes { get; private set; }

    /// <summary>The key of the last row, of which there is one; lives until the next call.</summary>
    public ReadOnlySpan<byte> LastKey => keys.Span.Slice(rows.Span[^1].KeyOffset, rows.Span[^1].KeyLength);

    /// <summary>False when the block is to be closed before a row with a key and value of these lengths.</summary>
    public bool HasRoomFor(int keyLength, int valueLength) =>
        rows.Count == 0 || rows.Count < DataBlockHeader.RowsMax && DataBlock.ExtentMax(rows.Count + 1, 0, Bytes + keyLength + valueLength) <= blockBytes;

    /// <summary>Takes a row for which there is room.</summary>
    /// <param name="row">The row; its key is copied.</param>
    /// <param name="copiesValue">False: the value stays where it is until the block is written.</param>
    public void Add(in RowRef row, bool copiesValue)
    {
        ReadOnlySpan<byte> key = row.Key;
        rows.Add(new DataBlockRow(keys.Count, (ushort)key.Length, 0, row.ValueLength, row.Kind, row.Deadline, DataBlock.TagOf(row.Hash)));
        values.Add((nint)(copiesValue ? CopyOf(row) : row.ValueAddress));
        keys.AddRange(key);
        Bytes += key.Length + row.ValueLength;
    }

    /// <summary>Writes the block, its first line into the index too, and begins the next.</summary>
    public void WriteTo(TableOutput output, ulong salt, NativeList<byte> lines)
    {
        Span<byte> room = output.Reserve(checked((int)DataBlock.ExtentMax(rows.Count, 0, Bytes)));
        DataBlockHeader header = DataBlock.EncodeColumns(rows.Span, keys.Span, room);
        Span<byte> rest = room[header.RowsOffset..];
        for (int i = 0; i < rows.Count; i++)
        {
            ref readonly DataBlockRow row = ref rows.Span[i];
            rest = rest[DataBlock.WriteTail(row, keys.Span, header.PrefixLength, rest)..];
            new ReadOnlySpan<byte>((byte*)values.Span[i], row.ValueLength).CopyTo(rest);
            rest = rest[row.ValueLength..];
            if (row.Kind != RecordKind.LeasedPut)
                continue;
            BinaryPrimitives.WriteUInt64LittleEndian(rest, row.Deadline);
            rest = rest[sizeof(ulong)..];
        }
        int extent = DataBlock.Seal(room, header, salt, output.Position);
        lines.AddRange(room[..DataBlockHeader.HeadsOffset]);
        output.Commit(extent);
        rows.Clear();
        values.Clear();
        keys.Clear();
        copied = 0;
        Bytes = 0;
    }

    public void Dispose()
    {
        rows.Dispose();
        values.Dispose();
        keys.Dispose();
        copies.Dispose();
    }

    /// <summary>A copy that stays until the block is written: rows of a block have a block's bytes together, or there is only one.</summary>
    private byte* CopyOf(in RowRef row)
    {
        copies.Reserve(blockBytes + valueBytesMax);
        byte* copy = copies.Address + copied;
        new ReadOnlySpan<byte>(row.ValueAddress, row.ValueLength).CopyTo(new Span<byte>(copy, row.ValueLength));
        copied += row.ValueLength;
        return copy;
    }
}
