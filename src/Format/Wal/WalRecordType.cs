namespace Varve.Format;

/// <summary>The kind of a WAL record. The values are frozen: they are on disk.</summary>
internal enum WalRecordType : byte
{
    /// <summary>A chunk of applied entries: outcomes, columns and operations.</summary>
    Chunk = 1,

    /// <summary>
    /// The segment link, a segment's first record; names the end of the log before it (<see cref="SegmentLink"/>).
    /// </summary>
    Link = 2,

    /// <summary>
    /// Moves the applied position without entries; at the position of the record before it, the close marker. Has no
    /// payload.
    /// </summary>
    Advance = 3,

    /// <summary>A lease clean-up reported expired keys (<see cref="CleanUpMarker"/>).</summary>
    Clean = 4,

    /// <summary>A snapshot was made or installed (<see cref="SnapshotMarker"/>).</summary>
    Snapshot = 5,

    /// <summary>
    /// The last record of a segment; names the segment in which the log continues (<see cref="SealedMarker"/>).
    /// </summary>
    Sealed = 6,

    /// <summary>The mark of an outer log moved without entries (<see cref="MarkMarker"/>).</summary>
    Mark = 7,
}
