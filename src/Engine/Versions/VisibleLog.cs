using Varve.Format;
using Varve.Wal;

namespace Varve.Versions;

/// <summary>
/// The end of the log's records that are published, for readers that walk the records themselves. One publisher at a
/// time, which has published the position before (I1); any number of readers.
/// </summary>
internal sealed class VisibleLog
{
    private WalSegment? _last;

    /// <summary>The end of what is published; the beginning of the log if nothing is.</summary>
    public LogOffset End
    {
        get
        {
            var last = Volatile.Read(ref _last);
            return last is null ? default : new LogOffset(last.Number, Volatile.Read(ref last.Visible));
        }
    }

    /// <summary>Publishes the records of a segment up to an offset, and all of the segments before it.</summary>
    public void Publish(WalSegment segment, long end)
    {
        Volatile.Write(ref segment.Visible, end);
        if (_last != segment) Volatile.Write(ref _last, segment);
    }

    /// <summary>The end of a segment's published records.</summary>
    /// <param name="segment">A segment of this log.</param>
    /// <param name="end">The end that <see cref="End"/> gave.</param>
    public static long EndIn(WalSegment segment, LogOffset end) =>
        segment.Number < end.Segment ? segment.End // the log has continued elsewhere: it grows no more
        : segment.Number == end.Segment ? end.Offset : WalSegmentHeader.Size;
}
