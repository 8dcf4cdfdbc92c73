using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>
/// Checks the shape of a data block whose bytes are already known to be what was written, or were made by an enemy who
/// can compute checksums: every length and offset is in bounds before a reader trusts it.
/// </summary>
internal static class DataBlockShape
{
    private const DataBlockFlags Known = DataBlockFlags.FixedKeys | DataBlockFlags.FixedRows | DataBlockFlags.AllPuts;

    /// <summary>Reads the header of at least 16 bytes; says nothing of its truth.</summary>
    public static DataBlockHeader ReadHeader(ReadOnlySpan<byte> block) => new(
        BinaryPrimitives.ReadUInt32LittleEndian(block),
        BinaryPrimitives.ReadUInt32LittleEndian(block[4..]),
        BinaryPrimitives.ReadUInt16LittleEndian(block[8..]),
        BinaryPrimitives.ReadUInt16LittleEndian(block[10..]),
        block[12],
        (DataBlockFlags)block[13]);

    public static bool TryValidate(ReadOnlySpan<byte> block, out DecodeError error)
    {
        if (block.Length < 2 * DataBlockHeader.Alignment)
            return Fail(0, "data block", "is shorter than 128 bytes", out error);
        var header = ReadHeader(block);
        var reserved = BinaryPrimitives.ReadUInt16LittleEndian(block[14..]);
        if ((header.Flags & ~Known) != 0 || reserved != 0)
            return Unsupported(
                13, $"data block with the flags 0x{(byte)header.Flags:x2} and 0x{reserved:x4} after them", out error);
        if (header.Count is 0 or > DataBlockHeader.RowsMax) return Fail(12, "row count", "is not 1 to 48", out error);
        if (DataBlockHeader.Extent(header.Length) != block.Length)
            return Fail(0, "length", "does not fit the block's extent", out error);
        if (header.RowsOffset > header.Length) return Fail(8, "columns", "run past the block", out error);
        if (!header.HasFixedRows && header.RowBytes != 0 || !header.HasFixedKeys && header.KeyLength != 0)
            return Fail(4, "fixed size", "beside a column of sizes", out error);
        if (header.HasFixedRows && (ulong)header.RowsOffset + (ulong)header.RowBytes * header.Count != header.Length)
            return Fail(4, "rows", "do not end where the block ends", out error);
        return TryValidateRows(block, header, out error);
    }

    private static bool TryValidateRows(ReadOnlySpan<byte> block, DataBlockHeader header, out DecodeError error)
    {
        ulong begin = 0, previousHead = 0;
        ulong rowsBytes = header.Length - (uint)header.RowsOffset;
        for (var i = 0; i < header.Count; i++)
        {
            var head = BinaryPrimitives.ReadUInt64LittleEndian(block[(DataBlockHeader.HeadsOffset + 8 * i)..]);
            int keyLength = header.HasFixedKeys
                ? header.KeyLength
                : BinaryPrimitives.ReadUInt16LittleEndian(block[(header.KeyLengthsOffset + 2 * i)..]);
            var kind = header.HasOnlyPuts ? RecordKind.Put : (RecordKind)block[header.KindsOffset + i];
            if (kind is not (RecordKind.Put or RecordKind.LeasedPut or RecordKind.Tombstone))
                return Unsupported(header.KindsOffset + i, $"row of kind {(byte)kind}", out error);
            (ulong rowBegin, ulong end) = RowRange(block, header, i);
            if (rowBegin != begin || end < begin || end > rowsBytes)
                return Fail(header.RowOffsetsOffset + 4 * i, "row offsets", "are not ascending", out error);
            if (keyLength < Math.Max(1, (int)header.PrefixLength))
                return Fail(header.KeyLengthsOffset + 2 * i, "key", "is shorter than the block's prefix", out error);
            var headBytes = Math.Min(KeyHead.Bytes, keyLength - header.PrefixLength);
            if (head < previousHead || headBytes < KeyHead.Bytes && (head & ulong.MaxValue >> 8 * headBytes) != 0)
                return Fail(DataBlockHeader.HeadsOffset + 8 * i, "key heads", "are not ascending", out error);

            var least = (ulong)DataBlockHeader.TailBytes(keyLength, header.PrefixLength)
                + (kind == RecordKind.LeasedPut ? 8u : 0u);
            if (end - begin < least || kind == RecordKind.Tombstone && end - begin != least)
                return Fail(
                    header.RowsOffset + (long)begin, "row length", "does not fit its key and deadline", out error);
            (begin, previousHead) = (end, head);
        }
        if (begin != rowsBytes)
            return Fail(header.RowsOffset + (long)begin, "rows", "do not end where the block ends", out error);
        error = default;
        return true;
    }

    private static (ulong Begin, ulong End) RowRange(ReadOnlySpan<byte> block, DataBlockHeader header, int i)
    {
        if (header.HasFixedRows) return ((ulong)header.RowBytes * (uint)i, (ulong)header.RowBytes * (uint)(i + 1));
        var offsets = block[(header.RowOffsetsOffset + 4 * i)..];
        return (
            BinaryPrimitives.ReadUInt32LittleEndian(offsets), BinaryPrimitives.ReadUInt32LittleEndian(offsets[4..]));
    }

    private static bool Unsupported(long offset, string met, out DecodeError error)
    {
        error = DecodeError.Unsupported(offset, met);
        return false;
    }

    private static bool Fail(long offset, string field, string problem, out DecodeError error)
    {
        error = new DecodeError(offset, field, problem);
        return false;
    }
}
