using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>One row on its way into a data block; key and value are ranges of one byte buffer.</summary>
internal readonly record struct DataBlockRow(int KeyOffset, ushort KeyLength, int ValueOffset, int ValueLength, RecordKind Kind, ulong Deadline, byte Tag)
{
    public int TrailerBytes => Kind == RecordKind.LeasedPut ? sizeof(ulong) : 0;
}

/// <summary>Writes and checks data blocks; the layout is drawn at <see cref="DataBlockHeader"/>.</summary>
internal static class DataBlock
{
    /// <summary>The tag of a key: one byte of its hash, apart from the bits that place it in a filter.</summary>
    public static byte TagOf(ulong keyHash) => (byte)keyHash;

    /// <summary>Upper bound of the bytes that rows take as a block, if their keys share nothing.</summary>
    public static long ExtentMax(int count, long keyBytes, long valueBytes) =>
        DataBlockHeader.Extent(DataBlockHeader.HeadsOffset + (8L + 2 + 1 + 4 + 8) * count + 4 + keyBytes + valueBytes);

    /// <summary>
    /// Writes rows with strictly ascending keys as one block and returns its extent. The destination has at least
    /// <see cref="ExtentMax"/> bytes; the file offset and the salt go into the checksum.
    /// </summary>
    public static int Encode(ReadOnlySpan<DataBlockRow> rows, ReadOnlySpan<byte> bytes, Span<byte> destination, ulong salt, long fileOffset)
    {
        DataBlockHeader header = HeaderFor(rows, bytes);
        int extent = (int)DataBlockHeader.Extent(header.Length);
        Span<byte> block = destination[..extent];
        block[..DataBlockHeader.HeadsOffset].Clear();
        WriteHeader(block, header);

        int prefixLength = header.PrefixLength;
        bytes.Slice(rows[0].KeyOffset, prefixLength).CopyTo(block[header.PrefixOffset..]);
        int at = header.RowsOffset;
        for (int i = 0; i < rows.Length; i++)
        {
            ref readonly DataBlockRow row = ref rows[i];
            ReadOnlySpan<byte> key = bytes.Slice(row.KeyOffset, row.KeyLength);
            block[DataBlockHeader.Bytes + i] = row.Tag;
            BinaryPrimitives.WriteUInt64LittleEndian(block[(DataBlockHeader.HeadsOffset + 8 * i)..], KeyHead.Of(key, prefixLength));
            if (!header.HasFixedKeys)
                BinaryPrimitives.WriteUInt16LittleEndian(block[(header.KeyLengthsOffset + 2 * i)..], row.KeyLength);
            if (!header.HasOnlyPuts)
                block[header.KindsOffset + i] = (byte)row.Kind;
            if (!header.HasFixedRows)
                BinaryPrimitives.WriteUInt32LittleEndian(block[(header.RowOffsetsOffset + 4 * i)..], (uint)(at - header.RowsOffset));
            at = WriteRow(block, at, row, key[^DataBlockHeader.TailBytes(key.Length, prefixLength)..], bytes);
        }
        if (!header.HasFixedRows)
            BinaryPrimitives.WriteUInt32LittleEndian(block[(header.RowOffsetsOffset + 4 * rows.Length)..], (uint)(at - header.RowsOffset));

        block[at..^DataBlockHeader.ChecksumBytes].Clear();
        Span<byte> checksum = block[^DataBlockHeader.ChecksumBytes..];
        BinaryPrimitives.WriteUInt64LittleEndian(checksum, TableChecksum.Of(block[..^DataBlockHeader.ChecksumBytes], salt, fileOffset));
        return extent;
    }

    /// <summary>
    /// Writes all that stands before the value in a block of one row, so that a large value need not be copied to be
    /// encoded. The caller adds the value, the deadline if there is one, zeros, and the checksum. Returns the bytes written.
    /// </summary>
    public static int EncodeBeforeSingleValue(ReadOnlySpan<byte> key, RecordKind kind, int valueLength, byte tag, Span<byte> destination, out long length)
    {
        var flags = DataBlockFlags.FixedKeys | DataBlockFlags.FixedRows | (kind == RecordKind.Put ? DataBlockFlags.AllPuts : 0);
        uint rowBytes = (uint)valueLength + (kind == RecordKind.LeasedPut ? 8u : 0u);
        var header = new DataBlockHeader(0, rowBytes, (ushort)key.Length, (ushort)key.Length, 1, flags);
        length = header.RowsOffset + (long)rowBytes;
        header = new DataBlockHeader((uint)length, rowBytes, (ushort)key.Length, (ushort)key.Length, 1, flags);
        destination[..header.PrefixOffset].Clear();
        WriteHeader(destination, header);
        destination[DataBlockHeader.Bytes] = tag;
        if (kind != RecordKind.Put)
            destination[header.KindsOffset] = (byte)kind;
        key.CopyTo(destination[header.PrefixOffset..]);
        return header.RowsOffset;
    }

    /// <summary>
    /// Checks a block: checksum, then shape. After success every offset that a reader computes from the block stays inside
    /// it. The span is the block's whole extent. The order of keys inside equal heads is not checked here.
    /// </summary>
    public static bool TryValidate(ReadOnlySpan<byte> block, ulong salt, long fileOffset, out DecodeError error)
    {
        if (block.Length < 2 * DataBlockHeader.Alignment || block.Length % DataBlockHeader.Alignment != 0)
            return Fail(0, "a block of whole lines", out error);
        ReadOnlySpan<byte> covered = block[..^DataBlockHeader.ChecksumBytes];
        if (BinaryPrimitives.ReadUInt64LittleEndian(block[covered.Length..]) != TableChecksum.Of(covered, salt, fileOffset))
            return Fail(covered.Length, "the block's checksum", out error);
        return DataBlockShape.TryValidate(block, out error);
    }

    private static bool Fail(long offset, string reason, out DecodeError error)
    {
        error = new DecodeError(offset, reason);
        return false;
    }

    private static int WriteRow(Span<byte> block, int at, in DataBlockRow row, ReadOnlySpan<byte> tail, ReadOnlySpan<byte> bytes)
    {
        tail.CopyTo(block[at..]);
        at += tail.Length;
        bytes.Slice(row.ValueOffset, row.ValueLength).CopyTo(block[at..]);
        at += row.ValueLength;
        if (row.TrailerBytes != 0)
            BinaryPrimitives.WriteUInt64LittleEndian(block[at..], row.Deadline);
        return at + row.TrailerBytes;
    }

    private static DataBlockHeader HeaderFor(ReadOnlySpan<DataBlockRow> rows, ReadOnlySpan<byte> bytes)
    {
        DataBlockRow first = rows[0], last = rows[^1];
        int prefix = bytes.Slice(first.KeyOffset, first.KeyLength).CommonPrefixLength(bytes.Slice(last.KeyOffset, last.KeyLength));
        bool fixedKeys = true, fixedRows = true, allPuts = true;
        long total = 0, firstBytes = RowBytes(first, prefix);
        foreach (ref readonly DataBlockRow row in rows)
        {
            long rowBytes = RowBytes(row, prefix);
            fixedKeys &= row.KeyLength == first.KeyLength;
            fixedRows &= rowBytes == firstBytes;
            allPuts &= row.Kind == RecordKind.Put;
            total += rowBytes;
        }

        var flags = (fixedKeys ? DataBlockFlags.FixedKeys : 0) | (fixedRows ? DataBlockFlags.FixedRows : 0) | (allPuts ? DataBlockFlags.AllPuts : 0);
        uint rowBytesField = fixedRows ? (uint)firstBytes : 0;
        ushort keyLengthField = fixedKeys ? first.KeyLength : (ushort)0;
        var header = new DataBlockHeader(0, rowBytesField, (ushort)prefix, keyLengthField, (byte)rows.Length, flags);
        return new DataBlockHeader((uint)(header.RowsOffset + total), rowBytesField, (ushort)prefix, keyLengthField, (byte)rows.Length, flags);
    }

    private static long RowBytes(in DataBlockRow row, int prefix) =>
        DataBlockHeader.TailBytes(row.KeyLength, prefix) + (long)row.ValueLength + row.TrailerBytes;

    private static void WriteHeader(Span<byte> destination, DataBlockHeader header)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, header.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], header.RowBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[8..], header.PrefixLength);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[10..], header.KeyLength);
        destination[12] = header.Count;
        destination[13] = (byte)header.Flags;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[14..], 0);
    }
}
