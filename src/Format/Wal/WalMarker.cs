namespace Varve.Format;

/// <summary>
/// A WAL record without entries. Its payload is all of the record behind the header, and but for a clean-up's its size
/// is fixed:
/// <code>
/// Link      u64 segment, u64 end offset, u64 salt       SegmentLink
/// Advance   nothing
/// Clean     u64 deadline, then keys                     CleanUpMarker
/// Snapshot  u64 index, u64 term, 32 bytes of checksum   SnapshotMarker
/// Sealed    u64 segment                                 SealedMarker
/// Mark      u64 length, 64 bytes                        MarkMarker
/// </code>
/// </summary>
internal static class WalMarker
{
    /// <summary>The largest payload of fixed size.</summary>
    public const int PayloadSizeMax = MarkMarker.Size;

    /// <summary>Bytes of the payload; of a clean-up's, the least.</summary>
    public static int PayloadSizeOf(WalRecordType type) => type switch
    {
        WalRecordType.Link => SegmentLink.Size,
        WalRecordType.Clean => CleanUpMarker.SizeMin,
        WalRecordType.Snapshot => SnapshotMarker.Size,
        WalRecordType.Sealed => SealedMarker.Size,
        WalRecordType.Mark => MarkMarker.Size,
        _ => 0,
    };

    /// <summary>Bytes of the whole record.</summary>
    public static int SizeOf(WalRecordType type) => WalRecordHeader.Size + PayloadSizeOf(type);
}
