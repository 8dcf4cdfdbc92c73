namespace Varve.Wal;

/// <summary>A place in the log: a segment and an offset in it. Ordered.</summary>
internal readonly record struct LogOffset(ulong Segment, long Offset) : IComparable<LogOffset>
{
    public int CompareTo(LogOffset other) =>
        Segment != other.Segment ? Segment.CompareTo(other.Segment) : Offset.CompareTo(other.Offset);

    public static bool operator >(LogOffset left, LogOffset right) => left.CompareTo(right) > 0;

    public static bool operator <(LogOffset left, LogOffset right) => left.CompareTo(right) < 0;
}
