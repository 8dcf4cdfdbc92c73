using System.Buffers.Binary;
using System.IO.Hashing;

namespace Varve.Format;

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
/// 88  u32  payload length      columns of a chunk, padded to 8; the payload of other types
/// 92  u8   type                WalRecordType
/// 93  u8   flags               which columns a chunk has (ChunkColumns)
/// 94  u16  more flags, 0
/// 96  payload, then operations (WalOperation), each at a multiple of 8
/// </code>
/// </summary>
internal readonly record struct WalRecordHeader
{
    public const int Size = MoreFlagsField + sizeof(ushort);

    /// <summary>Longest record; a chunk that would make a longer one is refused.</summary>
    public const int LengthMax = int.MaxValue - 65_535;

    private const int ChecksumField = 0;
    public const int OffsetField = ChecksumField + sizeof(ulong);
    private const int LengthField = OffsetField + sizeof(ulong);
    private const int SyncedSegmentField = LengthField + sizeof(ulong);
    private const int SyncedOffsetField = SyncedSegmentField + sizeof(ulong);
    public const int FirstIndexField = SyncedOffsetField + sizeof(ulong);
    public const int LastIndexField = FirstIndexField + sizeof(ulong);
    private const int TermField = LastIndexField + sizeof(ulong);
    private const int LogTimeField = TermField + sizeof(ulong);
    private const int LocalTimeField = LogTimeField + sizeof(ulong);
    private const int EntryCountField = LocalTimeField + sizeof(ulong);
    private const int OperationCountField = EntryCountField + sizeof(uint);
    private const int PayloadLengthField = OperationCountField + sizeof(uint);
    private const int TypeField = PayloadLengthField + sizeof(uint);
    private const int FlagsField = TypeField + sizeof(byte);
    private const int MoreFlagsField = FlagsField + sizeof(byte);

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

    /// <summary>The part of a record's room behind its header.</summary>
    public static Span<byte> PayloadOf(Span<byte> record) => record[Size..];

    /// <summary>
    /// Writes the header, checksum last, over a record whose payload and operations are already in place.
    /// </summary>
    public void Finish(Span<byte> record, ulong salt)
    {
        record = record[..Length];
        BinaryPrimitives.WriteInt64LittleEndian(record[OffsetField..], Offset);
        BinaryPrimitives.WriteInt64LittleEndian(record[LengthField..], Length);
        BinaryPrimitives.WriteUInt64LittleEndian(record[SyncedSegmentField..], SyncedSegment);
        BinaryPrimitives.WriteInt64LittleEndian(record[SyncedOffsetField..], SyncedOffset);
        BinaryPrimitives.WriteUInt64LittleEndian(record[FirstIndexField..], FirstIndex);
        BinaryPrimitives.WriteUInt64LittleEndian(record[LastIndexField..], LastIndex);
        BinaryPrimitives.WriteUInt64LittleEndian(record[TermField..], Term);
        BinaryPrimitives.WriteUInt64LittleEndian(record[LogTimeField..], LogTimeMs);
        BinaryPrimitives.WriteUInt64LittleEndian(record[LocalTimeField..], LocalTimeMs);
        BinaryPrimitives.WriteInt32LittleEndian(record[EntryCountField..], EntryCount);
        BinaryPrimitives.WriteInt32LittleEndian(record[OperationCountField..], OperationCount);
        BinaryPrimitives.WriteInt32LittleEndian(record[PayloadLengthField..], PayloadLength);
        record[TypeField] = (byte)Type;
        record[FlagsField] = (byte)Flags;
        BinaryPrimitives.WriteUInt16LittleEndian(record[MoreFlagsField..], 0);
        BinaryPrimitives.WriteUInt64LittleEndian(record, XxHash3.HashToUInt64(record[OffsetField..], (long)salt));
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
        if (source.Length < Size) return Fail(ChecksumField, "record header", "is cut off", out error);
        if (BinaryPrimitives.ReadInt64LittleEndian(source[OffsetField..]) != offset)
            return Fail(OffsetField, "record", "carries another offset", out error);
        var length = BinaryPrimitives.ReadInt64LittleEndian(source[LengthField..]);
        if (length < Size || length > source.Length || length > LengthMax || length % 8 != 0)
            return Fail(LengthField, "record length", "is out of range", out error);
        var record = source[..(int)length];
        var stored = BinaryPrimitives.ReadUInt64LittleEndian(record);
        var computed = XxHash3.HashToUInt64(record[OffsetField..], (long)salt);
        if (stored != computed)
        {
            error = DecodeError.Checksum(ChecksumField, stored, computed);
            return false;
        }

        header = ReadFields(record);
        var moreFlags = BinaryPrimitives.ReadUInt16LittleEndian(record[MoreFlagsField..]);
        if (moreFlags != 0) return Unsupported(MoreFlagsField, $"record with the flags 0x{moreFlags:x4}", out error);
        return header.HasKnownShape(out error);
    }

    /// <summary>
    /// True if the bytes could begin a record, judged without its checksum, and then its length. Bytes that imitate a
    /// header pass: the test only spares the hash of bytes that cannot.
    /// </summary>
    public static bool MayBeAt(ReadOnlySpan<byte> source, long offset, out int length)
    {
        length = 0;
        if (source.Length < Size || BinaryPrimitives.ReadInt64LittleEndian(source[OffsetField..]) != offset)
            return false;
        var claimed = BinaryPrimitives.ReadInt64LittleEndian(source[LengthField..]);
        if (claimed < Size || claimed > source.Length || claimed > LengthMax || claimed % 8 != 0) return false;
        if (source[TypeField] == 0) return false;
        length = (int)claimed;
        return true;
    }

    /// <summary>
    /// Reads the header at <paramref name="offset"/> without its checksum; false if no record begins there. The caller
    /// knows that the record is complete and valid: this process wrote or verified it.
    /// </summary>
    /// <param name="source">The segment's bytes from that offset on.</param>
    /// <param name="offset">The offset in the segment.</param>
    /// <param name="header">The header, when true.</param>
    public static bool TryReadVerified(ReadOnlySpan<byte> source, long offset, out WalRecordHeader header)
    {
        header = default;
        if (source.Length < Size || BinaryPrimitives.ReadInt64LittleEndian(source[OffsetField..]) != offset)
            return false;
        header = ReadFields(source);
        return true;
    }

    /// <summary>
    /// The bytes of a record that a crash left unfinished: its offset is in place, and no checksum holds. 0 if there
    /// are none; at least 8 and at most all of <paramref name="source"/> otherwise.
    /// </summary>
    public static long UnfinishedBytes(ReadOnlySpan<byte> source, long offset, long room)
    {
        if (source.Length < Size || BinaryPrimitives.ReadInt64LittleEndian(source[OffsetField..]) != offset
            || BinaryPrimitives.ReadUInt64LittleEndian(source) == 0)
            return 0;
        return Math.Clamp(
            BinaryPrimitives.ReadInt64LittleEndian(source[LengthField..]), WalOperation.Alignment, room);
    }

    /// <summary>
    /// True if this build writes such records. The record is intact, and its writer knew the salt: a shape that this
    /// build does not write is another build's.
    /// </summary>
    private bool HasKnownShape(out DecodeError error)
    {
        var room = Length - Size;
        if (Type is < WalRecordType.Chunk or > WalRecordType.Mark)
            return Unsupported(TypeField, $"record of type {(byte)Type}", out error);
        if (PayloadLength < 0 || PayloadLength > room || PayloadLength % 8 != 0)
            return Unsupported(
                PayloadLengthField, $"{Type} record of {Length} bytes with a payload of {PayloadLength}", out error);
        if (FirstIndex > LastIndex)
            return Unsupported(FirstIndexField, $"{Type} record from index {FirstIndex} to {LastIndex}", out error);
        if (Type == WalRecordType.Chunk)
        {
            if ((Flags & ~ColumnFlags.All) != 0)
                return Unsupported(FlagsField, $"chunk record with the columns 0x{(byte)Flags:x2}", out error);
            if (EntryCount <= 0 || OperationCount < 0 || OperationCount > EntryCount
                || LastIndex - FirstIndex < (ulong)EntryCount - 1)
                return Unsupported(
                    EntryCountField,
                    $"chunk record of {EntryCount} entries and {OperationCount} operations, index {FirstIndex} to "
                        + $"{LastIndex}",
                    out error);
            error = default;
            return true;
        }

        var payload = WalMarker.PayloadSizeOf(Type);
        if (Type == WalRecordType.Clean) payload = Math.Max(payload, PayloadLength); // then its keys
        if (PayloadLength != payload || room != payload || EntryCount != 0 || OperationCount != 0 || Flags != 0)
            return Unsupported(
                PayloadLengthField,
                $"{Type} record with a payload of {PayloadLength} bytes and the flags 0x{(byte)Flags:x2}", out error);
        error = default;
        return true;
    }

    private static WalRecordHeader ReadFields(ReadOnlySpan<byte> record) => new()
    {
        Offset = BinaryPrimitives.ReadInt64LittleEndian(record[OffsetField..]),
        Length = (int)BinaryPrimitives.ReadInt64LittleEndian(record[LengthField..]),
        SyncedSegment = BinaryPrimitives.ReadUInt64LittleEndian(record[SyncedSegmentField..]),
        SyncedOffset = BinaryPrimitives.ReadInt64LittleEndian(record[SyncedOffsetField..]),
        FirstIndex = BinaryPrimitives.ReadUInt64LittleEndian(record[FirstIndexField..]),
        LastIndex = BinaryPrimitives.ReadUInt64LittleEndian(record[LastIndexField..]),
        Term = BinaryPrimitives.ReadUInt64LittleEndian(record[TermField..]),
        LogTimeMs = BinaryPrimitives.ReadUInt64LittleEndian(record[LogTimeField..]),
        LocalTimeMs = BinaryPrimitives.ReadUInt64LittleEndian(record[LocalTimeField..]),
        EntryCount = BinaryPrimitives.ReadInt32LittleEndian(record[EntryCountField..]),
        OperationCount = BinaryPrimitives.ReadInt32LittleEndian(record[OperationCountField..]),
        PayloadLength = BinaryPrimitives.ReadInt32LittleEndian(record[PayloadLengthField..]),
        Type = (WalRecordType)record[TypeField],
        Flags = (ColumnFlags)record[FlagsField],
    };

    private static bool Unsupported(int at, string met, out DecodeError error)
    {
        error = DecodeError.Unsupported(at, met);
        return false;
    }

    private static bool Fail(int at, string field, string problem, out DecodeError error)
    {
        error = new DecodeError(at, field, problem);
        return false;
    }
}
