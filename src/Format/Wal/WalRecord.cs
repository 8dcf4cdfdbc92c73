using System.Buffers.Binary;
using System.IO.Hashing;

namespace Varve.Format;

/// <summary>What a WAL record is. The values are frozen: they are on disk.</summary>
internal enum WalRecordType : byte
{
    /// <summary>A chunk of applied entries: outcomes, columns and operations.</summary>
    Chunk = 1,

    /// <summary>
    /// First of a segment: where the log before it ended. Payload: u64 segment number, u64 end offset, u64 salt of that
    /// segment (zeros: none).
    /// </summary>
    Link = 2,

    /// <summary>The applied position moved without entries.</summary>
    Advance = 3,

    /// <summary>Expired leases were handed out. Payload: u64 deadline up to which.</summary>
    Clean = 4,

    /// <summary>A snapshot was made or installed. Payload: u64 index, u64 term, 32 bytes checksum.</summary>
    Snapshot = 5,

    /// <summary>Last of a segment: the log goes on in another, which is there. Payload: u64 its number.</summary>
    Sealed = 6,
}

/// <summary>
/// The header of a WAL record. A record is valid only by its checksum, seeded with the segment's salt, over everything
/// after the checksum, and by its own offset stored in it. All zeros is never valid, and no type is 0. Checksum,
/// offset, length and type keep their places in every version, so that a record of another build is told from no
/// record.
/// <code>
///  0  u64  checksum            XXH3-64, seed = segment salt, of bytes 8..length
///  8  u64  offset              of this record in its segment, a multiple of 8
/// 16  u64  length              whole record, a multiple of 8
/// 24  u64  synced segment      everything before this position was known to be durable
/// 32  u64  synced offset         when the record was written
/// 40  u64  first index         of the chunk; for other types the applied index
/// 48  u64  last index          applied index after the record
/// 56  u64  term                of the last index
/// 64  u64  log time            largest entry timestamp so far, Unix milliseconds
/// 72  u64  local time          local lease time of the apply, Unix milliseconds
/// 80  u32  entry count         0 but for a chunk
/// 84  u32  operation count     effects among them
/// 88  u32  payload length      columns of a chunk, padded to 8; fixed payload of other types
/// 92  u8   type                WalRecordType
/// 93  u8   flags               which columns a chunk has (ChunkColumns)
/// 94  u16  more flags, 0
/// 96  payload, then operations (WalOperation), each at a multiple of 8
/// </code>
/// </summary>
internal readonly record struct WalRecordHeader
{
    public const int Size = 96;

    /// <summary>Longest record; a chunk that would make a longer one is refused.</summary>
    public const int LengthMax = int.MaxValue - 65_535;

    public long Offset { get; init; }

    public int Length { get; init; }

    public ulong SyncedSegment { get; init; }

    public long SyncedOffset { get; init; }

    public ulong FirstIndex { get; init; }

    public ulong LastIndex { get; init; }

    public ulong Term { get; init; }

    public ulong LogTimeMs { get; init; }

    public ulong LocalTimeMs { get; init; }

    public int EntryCount { get; init; }

    public int OperationCount { get; init; }

    public int PayloadLength { get; init; }

    public WalRecordType Type { get; init; }

    public ColumnFlags Flags { get; init; }

    /// <summary>
    /// Writes the header, checksum last, over a record whose payload and operations are already in place.
    /// </summary>
    public void Seal(Span<byte> record, ulong salt)
    {
        record = record[..Length];
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], Offset);
        BinaryPrimitives.WriteInt64LittleEndian(record[16..], Length);
        BinaryPrimitives.WriteUInt64LittleEndian(record[24..], SyncedSegment);
        BinaryPrimitives.WriteInt64LittleEndian(record[32..], SyncedOffset);
        BinaryPrimitives.WriteUInt64LittleEndian(record[40..], FirstIndex);
        BinaryPrimitives.WriteUInt64LittleEndian(record[48..], LastIndex);
        BinaryPrimitives.WriteUInt64LittleEndian(record[56..], Term);
        BinaryPrimitives.WriteUInt64LittleEndian(record[64..], LogTimeMs);
        BinaryPrimitives.WriteUInt64LittleEndian(record[72..], LocalTimeMs);
        BinaryPrimitives.WriteInt32LittleEndian(record[80..], EntryCount);
        BinaryPrimitives.WriteInt32LittleEndian(record[84..], OperationCount);
        BinaryPrimitives.WriteInt32LittleEndian(record[88..], PayloadLength);
        record[92] = (byte)Type;
        record[93] = (byte)Flags;
        record[94] = 0;
        record[95] = 0;
        BinaryPrimitives.WriteUInt64LittleEndian(record, XxHash3.HashToUInt64(record[8..], (long)salt));
    }

    /// <summary>
    /// Reads and verifies the record that should start at <paramref name="offset"/> of its segment. False is not yet
    /// damage: the log may simply end there. If the error is unsupported, there is an intact record that another build
    /// wrote.
    /// </summary>
    /// <param name="source">The segment's bytes from that offset on.</param>
    /// <param name="offset">The offset in the segment.</param>
    /// <param name="salt">The segment's salt.</param>
    /// <param name="header">The header, when true.</param>
    /// <param name="error">What is wrong with the record.</param>
    public static bool TryRead(
        ReadOnlySpan<byte> source, long offset, ulong salt, out WalRecordHeader header, out DecodeError error)
    {
        header = default;
        error = default;
        if (source.Length < Size) return Fail(0, "record header is cut off", out error);
        if (BinaryPrimitives.ReadInt64LittleEndian(source[8..]) != offset)
            return Fail(8, "record carries another offset", out error);
        var length = BinaryPrimitives.ReadInt64LittleEndian(source[16..]);
        if (length < Size || length > source.Length || length > LengthMax || length % 8 != 0)
            return Fail(16, "record length is out of range", out error);
        var record = source[..(int)length];
        if (BinaryPrimitives.ReadUInt64LittleEndian(record) != XxHash3.HashToUInt64(record[8..], (long)salt))
            return Fail(0, "record checksum mismatch", out error);

        header = new WalRecordHeader
        {
            Offset = offset,
            Length = (int)length,
            SyncedSegment = BinaryPrimitives.ReadUInt64LittleEndian(record[24..]),
            SyncedOffset = BinaryPrimitives.ReadInt64LittleEndian(record[32..]),
            FirstIndex = BinaryPrimitives.ReadUInt64LittleEndian(record[40..]),
            LastIndex = BinaryPrimitives.ReadUInt64LittleEndian(record[48..]),
            Term = BinaryPrimitives.ReadUInt64LittleEndian(record[56..]),
            LogTimeMs = BinaryPrimitives.ReadUInt64LittleEndian(record[64..]),
            LocalTimeMs = BinaryPrimitives.ReadUInt64LittleEndian(record[72..]),
            EntryCount = BinaryPrimitives.ReadInt32LittleEndian(record[80..]),
            OperationCount = BinaryPrimitives.ReadInt32LittleEndian(record[84..]),
            PayloadLength = BinaryPrimitives.ReadInt32LittleEndian(record[88..]),
            Type = (WalRecordType)record[92],
            Flags = (ColumnFlags)record[93],
        };
        var moreFlags = BinaryPrimitives.ReadUInt16LittleEndian(record[94..]);
        if (moreFlags != 0) return Unsupported(94, $"record with the flags 0x{moreFlags:x4}", out error);
        return header.HasKnownShape(out error);
    }

    /// <summary>
    /// Whether the bytes could begin a record, by what is seen without its checksum; its length when they could. Says
    /// yes to whoever copies a header's fields: it only spares the hash where there is nothing.
    /// </summary>
    public static bool MayBeAt(ReadOnlySpan<byte> source, long offset, out int length)
    {
        length = 0;
        if (source.Length < Size || BinaryPrimitives.ReadInt64LittleEndian(source[8..]) != offset) return false;
        var claimed = BinaryPrimitives.ReadInt64LittleEndian(source[16..]);
        if (claimed < Size || claimed > source.Length || claimed > LengthMax || claimed % 8 != 0) return false;
        if (source[92] == 0) return false;
        length = (int)claimed;
        return true;
    }

    /// <summary>
    /// Whether this build writes such records. The record is intact, and whoever wrote it knew the salt: one of a shape
    /// that this build does not write is another build's.
    /// </summary>
    private bool HasKnownShape(out DecodeError error)
    {
        var room = Length - Size;
        if (Type is < WalRecordType.Chunk or > WalRecordType.Sealed)
            return Unsupported(92, $"record of type {(byte)Type}", out error);
        if (PayloadLength < 0 || PayloadLength > room || PayloadLength % 8 != 0)
            return Unsupported(88, $"{Type} record of {Length} bytes with a payload of {PayloadLength}", out error);
        if (FirstIndex > LastIndex)
            return Unsupported(40, $"{Type} record from index {FirstIndex} to {LastIndex}", out error);
        if (Type == WalRecordType.Chunk)
        {
            if ((Flags & ~ColumnFlags.All) != 0)
                return Unsupported(93, $"chunk record with the columns 0x{(byte)Flags:x2}", out error);
            if (EntryCount <= 0 || OperationCount < 0 || OperationCount > EntryCount
                || LastIndex - FirstIndex < (ulong)EntryCount - 1)
                return Unsupported(
                    80,
                    $"chunk record of {EntryCount} entries and {OperationCount} operations, index {FirstIndex} to "
                        + $"{LastIndex}",
                    out error);
            error = default;
            return true;
        }

        var payload = Type switch
        {
            WalRecordType.Link => 24,
            WalRecordType.Advance => 0,
            WalRecordType.Clean or WalRecordType.Sealed => 8,
            _ => 48,
        };
        if (PayloadLength != payload || room != payload || EntryCount != 0 || OperationCount != 0 || Flags != 0)
            return Unsupported(
                88, $"{Type} record with a payload of {PayloadLength} bytes and the flags 0x{(byte)Flags:x2}",
                out error);
        error = default;
        return true;
    }

    private static bool Unsupported(int at, string met, out DecodeError error)
    {
        error = DecodeError.Unsupported(at, met);
        return false;
    }

    private static bool Fail(int at, string reason, out DecodeError error)
    {
        error = new DecodeError(at, reason);
        return false;
    }
}
