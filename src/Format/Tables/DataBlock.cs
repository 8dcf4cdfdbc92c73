using System.Buffers.Binary;

namespace Varve.Format;

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
    public static int Encode(
        ReadOnlySpan<DataBlockRow> rows, ReadOnlySpan<byte> bytes, Span<byte> destination, ulong salt, long fileOffset)
    {
        var header = EncodeColumns(rows, bytes, destination);
        var at = header.RowsOffset;
        foreach (ref readonly DataBlockRow row in rows)
        {
            var rest = destination[(at + WriteTail(row, bytes, header.PrefixLength, destination[at..]))..];
            bytes.Slice(row.ValueOffset, row.ValueLength).CopyTo(rest);
            WriteTrailer(row.Kind, row.Deadline, rest[row.ValueLength..]);
            at += (int)RowBytes(row, header.PrefixLength);
        }
        return Finish(destination, header, salt, fileOffset);
    }

    /// <summary>
    /// Writes all that stands before the rows, so that values can go into the block from where they are: the caller
    /// then puts each row behind the one before it, from <see cref="DataBlockHeader.RowsOffset"/> on
    /// (<see cref="WriteTail"/>, the value, the deadline if there is one), and calls <see cref="Finish"/>.
    /// <see cref="DataBlockRow.ValueOffset"/> is not looked at.
    /// </summary>
    public static DataBlockHeader EncodeColumns(
        ReadOnlySpan<DataBlockRow> rows, ReadOnlySpan<byte> keys, Span<byte> destination)
    {
        var header = HeaderFor(rows, keys);
        var block = destination[..header.RowsOffset];
        block[..DataBlockHeader.HeadsOffset].Clear();
        WriteHeader(block, header);
        int prefixLength = header.PrefixLength;
        keys.Slice(rows[0].KeyOffset, prefixLength).CopyTo(block[header.PrefixOffset..]);
        for (var i = 0; i < rows.Length; i++)
        {
            ref readonly DataBlockRow row = ref rows[i];
            block[DataBlockHeader.Bytes + i] = row.Tag;
            BinaryPrimitives.WriteUInt64LittleEndian(
                block[(DataBlockHeader.HeadsOffset + 8 * i)..],
                KeyHead.Of(keys.Slice(row.KeyOffset, row.KeyLength), prefixLength));
        }
        if (!header.HasFixedKeys || !header.HasOnlyPuts || !header.HasFixedRows)
            EncodeVariableColumns(rows, header, block);
        return header;
    }

    /// <summary>Writes what of a row's key stands in the row; answers how many bytes.</summary>
    public static int WriteTail(in DataBlockRow row, ReadOnlySpan<byte> keys, int prefixLength, Span<byte> destination)
    {
        var tail = DataBlockHeader.TailBytes(row.KeyLength, prefixLength);
        keys.Slice(row.KeyOffset + row.KeyLength - tail, tail).CopyTo(destination);
        return tail;
    }

    /// <summary>Writes what stands behind a row's value, a leased put's deadline; answers how many bytes.</summary>
    public static int WriteTrailer(RecordKind kind, ulong deadline, Span<byte> destination)
    {
        if (kind != RecordKind.LeasedPut) return 0;
        BinaryPrimitives.WriteUInt64LittleEndian(destination, deadline);
        return sizeof(ulong);
    }

    /// <summary>Writes a block's checksum, which is its last <see cref="DataBlockHeader.ChecksumBytes"/>.</summary>
    public static void WriteChecksum(Span<byte> destination, ulong checksum) =>
        BinaryPrimitives.WriteUInt64LittleEndian(destination, checksum);

    /// <summary>
    /// Ends a block whose columns and rows are in place, with zeros and the checksum; answers its extent.
    /// </summary>
    public static int Finish(Span<byte> destination, DataBlockHeader header, ulong salt, long fileOffset)
    {
        var block = destination[..(int)DataBlockHeader.Extent(header.Length)];
        block[(int)header.Length..^DataBlockHeader.ChecksumBytes].Clear();
        var checksum = block[^DataBlockHeader.ChecksumBytes..];
        BinaryPrimitives.WriteUInt64LittleEndian(
            checksum, TableChecksum.Of(block[..^DataBlockHeader.ChecksumBytes], salt, fileOffset));
        return block.Length;
    }

    /// <summary>
    /// Writes all that stands before the value in a block of one row, so that a large value need not be copied to be
    /// encoded. The caller adds the value, the deadline if there is one, zeros, and the checksum. Returns the bytes
    /// written.
    /// </summary>
    public static int EncodeBeforeSingleValue(
        ReadOnlySpan<byte> key, RecordKind kind, int valueLength, byte tag, Span<byte> destination, out long length)
    {
        var flags =
            DataBlockFlags.FixedKeys | DataBlockFlags.FixedRows | (kind == RecordKind.Put ? DataBlockFlags.AllPuts : 0);
        var rowBytes = (uint)valueLength + (kind == RecordKind.LeasedPut ? 8u : 0u);
        var header = new DataBlockHeader(0, rowBytes, (ushort)key.Length, (ushort)key.Length, 1, flags);
        length = header.RowsOffset + (long)rowBytes;
        header = new DataBlockHeader((uint)length, rowBytes, (ushort)key.Length, (ushort)key.Length, 1, flags);
        destination[..header.PrefixOffset].Clear();
        WriteHeader(destination, header);
        destination[DataBlockHeader.Bytes] = tag;
        if (kind != RecordKind.Put) destination[header.KindsOffset] = (byte)kind;
        key.CopyTo(destination[header.PrefixOffset..]);
        return header.RowsOffset;
    }

    /// <summary>
    /// Checks a block: checksum, then shape. After success every offset that a reader computes from the block stays
    /// inside it. The span is the block's whole extent. The order of keys inside equal heads is not checked here.
    /// </summary>
    public static bool TryValidate(ReadOnlySpan<byte> block, ulong salt, long fileOffset, out DecodeError error)
    {
        if (block.Length < 2 * DataBlockHeader.Alignment || block.Length % DataBlockHeader.Alignment != 0)
            return Fail(0, "data block", "is not a multiple of 64 bytes", out error);
        var covered = block[..^DataBlockHeader.ChecksumBytes];
        (ulong stored, ulong computed) = (
            BinaryPrimitives.ReadUInt64LittleEndian(block[covered.Length..]),
            TableChecksum.Of(covered, salt, fileOffset));
        if (stored != computed)
        {
            error = DecodeError.Checksum(covered.Length, stored, computed);
            return false;
        }
        return DataBlockShape.TryValidate(block, out error);
    }

    private static bool Fail(long offset, string field, string problem, out DecodeError error)
    {
        error = new DecodeError(offset, field, problem);
        return false;
    }

    private static void EncodeVariableColumns(ReadOnlySpan<DataBlockRow> rows, DataBlockHeader header, Span<byte> block)
    {
        long at = 0;
        for (var i = 0; i <= rows.Length; i++)
        {
            if (!header.HasFixedRows)
                BinaryPrimitives.WriteUInt32LittleEndian(block[(header.RowOffsetsOffset + 4 * i)..], (uint)at);
            if (i == rows.Length) break;
            if (!header.HasFixedKeys)
                BinaryPrimitives.WriteUInt16LittleEndian(block[(header.KeyLengthsOffset + 2 * i)..], rows[i].KeyLength);
            if (!header.HasOnlyPuts) block[header.KindsOffset + i] = (byte)rows[i].Kind;
            at += RowBytes(rows[i], header.PrefixLength);
        }
    }

    private static DataBlockHeader HeaderFor(ReadOnlySpan<DataBlockRow> rows, ReadOnlySpan<byte> bytes)
    {
        DataBlockRow first = rows[0], last = rows[^1];
        var prefix = bytes.Slice(first.KeyOffset, first.KeyLength).CommonPrefixLength(
            bytes.Slice(last.KeyOffset, last.KeyLength));
        bool fixedKeys = true, fixedRows = true, allPuts = true;
        long total = 0, firstBytes = RowBytes(first, prefix);
        foreach (ref readonly DataBlockRow row in rows)
        {
            var rowBytes = RowBytes(row, prefix);
            fixedKeys &= row.KeyLength == first.KeyLength;
            fixedRows &= rowBytes == firstBytes;
            allPuts &= row.Kind == RecordKind.Put;
            total += rowBytes;
        }

        var flags = (fixedKeys ? DataBlockFlags.FixedKeys : 0) | (fixedRows ? DataBlockFlags.FixedRows : 0)
            | (allPuts ? DataBlockFlags.AllPuts : 0);
        var rowBytesField = fixedRows ? (uint)firstBytes : 0;
        var keyLengthField = fixedKeys ? first.KeyLength : (ushort)0;
        var header = new DataBlockHeader(0, rowBytesField, (ushort)prefix, keyLengthField, (byte)rows.Length, flags);
        return new DataBlockHeader(
            (uint)(header.RowsOffset + total), rowBytesField, (ushort)prefix, keyLengthField, (byte)rows.Length, flags);
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
