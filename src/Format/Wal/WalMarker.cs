namespace Varve.Format;

/// <summary>
/// A WAL record without entries. Its payload has a fixed size and is all of the record behind the header:
/// <code>
/// Link      u64 segment, u64 end offset, u64 salt       SegmentLink
/// Advance   nothing
/// Clean     u64 deadline                                CleanUpMarker
/// Snapshot  u64 index, u64 term, 32 bytes of checksum   SnapshotMarker
/// Sealed    u64 segment                                 SealedMarker
/// </code>
/// </summary>
internal static class WalMarker
{
    /// <summary>The largest payload of a marker.</summary>
    public const int PayloadSizeMax = SnapshotMarker.Size;

    public static int PayloadSizeOf(WalRecordType type) => type switch
    {
        WalRecordType.Link => SegmentLink.Size,
        WalRecordType.Clean => CleanUpMarker.Size,
        WalRecordType.Snapshot => SnapshotMarker.Size,
        WalRecordType.Sealed => SealedMarker.Size,
        _ => 0,
    };

    /// <summary>Bytes of the whole record.</summary>
    public static int SizeOf(WalRecordType type) => WalRecordHeader.Size + PayloadSizeOf(type);
}
