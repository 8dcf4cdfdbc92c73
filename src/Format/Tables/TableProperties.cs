using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>
/// The properties that a table states of itself.
/// <code>
///   0  u64  rows, tombstones included
///   8  u64  tombstones
///  16  u64  rows with a deadline
///  24  u64  blocks
///  32  u64  smallest deadline, 0 when there is none
///  40  u64  largest deadline, 0 when there is none
///  48  u16  length of the smallest key
///  50  u16  length of the largest key
///  52  u8[] the smallest key, the largest key
/// </code>
/// </summary>
internal sealed record TableProperties
{
    private const int FixedBytes = 52;

    public required long RowCount { get; init; }

    public required long TombstoneCount { get; init; }

    public required long LeaseCount { get; init; }

    public required int BlockCount { get; init; }

    /// <summary>0 when no row has a deadline.</summary>
    public required ulong SmallestDeadline { get; init; }

    /// <summary>0 when no row has a deadline.</summary>
    public required ulong LargestDeadline { get; init; }

    public required byte[] SmallestKey { get; init; }

    public required byte[] LargestKey { get; init; }

    public int EncodedLength => FixedBytes + SmallestKey.Length + LargestKey.Length;

    /// <summary>Writes <see cref="EncodedLength"/> bytes.</summary>
    public void Encode(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt64LittleEndian(destination, RowCount);
        BinaryPrimitives.WriteInt64LittleEndian(destination[8..], TombstoneCount);
        BinaryPrimitives.WriteInt64LittleEndian(destination[16..], LeaseCount);
        BinaryPrimitives.WriteInt64LittleEndian(destination[24..], BlockCount);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[32..], SmallestDeadline);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[40..], LargestDeadline);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[48..], (ushort)SmallestKey.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[50..], (ushort)LargestKey.Length);
        SmallestKey.CopyTo(destination[FixedBytes..]);
        LargestKey.CopyTo(destination[(FixedBytes + SmallestKey.Length)..]);
    }

    public static bool TryDecode(ReadOnlySpan<byte> source, out TableProperties? properties, out DecodeError error)
    {
        properties = null;
        if (source.Length < FixedBytes) return Fail(0, "properties", "are cut off", out error);
        ulong rows = BinaryPrimitives.ReadUInt64LittleEndian(source),
            tombstones = BinaryPrimitives.ReadUInt64LittleEndian(source[8..]);
        ulong leases = BinaryPrimitives.ReadUInt64LittleEndian(source[16..]),
            blocks = BinaryPrimitives.ReadUInt64LittleEndian(source[24..]);
        if (rows is 0 or > long.MaxValue || tombstones > rows || leases > rows - tombstones)
            return Fail(0, "row counts", "do not add up", out error);
        if (blocks is 0 or > TableIndexShape.BlocksMax || blocks > rows || rows > blocks * DataBlockHeader.RowsMax)
            return Fail(24, "block count", "does not fit the rows", out error);
        int smallest = BinaryPrimitives.ReadUInt16LittleEndian(source[48..]),
            largest = BinaryPrimitives.ReadUInt16LittleEndian(source[50..]);
        if (smallest == 0 || largest == 0 || source.Length != FixedBytes + smallest + largest)
            return Fail(48, "key lengths", "do not fit the region", out error);
        ReadOnlySpan<byte> smallestKey = source.Slice(FixedBytes, smallest),
            largestKey = source[(FixedBytes + smallest)..];
        if (smallestKey.SequenceCompareTo(largestKey) > 0)
            return Fail(FixedBytes, "smallest key", "is above the largest", out error);
        ulong smallestDeadline = BinaryPrimitives.ReadUInt64LittleEndian(source[32..]),
            largestDeadline = BinaryPrimitives.ReadUInt64LittleEndian(source[40..]);
        if (smallestDeadline > largestDeadline || leases == 0 && largestDeadline != 0)
            return Fail(32, "deadlines", "are out of order, or there are none", out error);

        properties = new TableProperties
        {
            RowCount = (long)rows,
            TombstoneCount = (long)tombstones,
            LeaseCount = (long)leases,
            BlockCount = (int)blocks,
            SmallestDeadline = smallestDeadline,
            LargestDeadline = largestDeadline,
            SmallestKey = smallestKey.ToArray(),
            LargestKey = largestKey.ToArray(),
        };
        error = default;
        return true;
    }

    private static bool Fail(long offset, string field, string problem, out DecodeError error)
    {
        error = new DecodeError(offset, field, problem);
        return false;
    }
}
