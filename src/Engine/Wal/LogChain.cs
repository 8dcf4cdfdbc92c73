using Varve.Format;

namespace Varve.Wal;

/// <summary>
/// The chain of segments that recovery follows: each begins with a segment link that names the end of the one before
/// it. One thread.
/// </summary>
/// <param name="all">Every readable segment of the directory in order of numbers; the first begins the chain.</param>
internal sealed class LogChain(List<WalSegment> all)
{
    private LogOffset _synced;

    public List<WalSegment> Segments { get; } = [all[0]];

    public WalSegment Last => Segments[^1];

    /// <summary>Segments of the directory that are not in the chain.</summary>
    public List<WalSegment> Unused => all.FindAll(segment => !Segments.Contains(segment));

    /// <summary>The farthest that any record read says the log was synced.</summary>
    public LogOffset Synced => _synced;

    /// <summary>The segment that the chain's last record names as its continuation; null: it names none.</summary>
    public ulong? ContinuesIn { get; private set; }

    /// <summary>True if <see cref="ContinuesIn"/> names a segment that is not there.</summary>
    public bool IsContinuationMissing =>
        ContinuesIn is { } number && all.TrueForAll(segment => segment.Number != number);

    /// <summary>Bytes behind the end that belong to the torn tail, as <see cref="LookBeyond"/> found them.</summary>
    public long TornBytes { get; private set; }

    /// <summary>True if <see cref="LookBeyond"/> found valid records behind the end.</summary>
    public bool HasRecordsBeyond { get; private set; }

    /// <summary>An intact record behind the end that this build does not know; null: there is none.</summary>
    public UnsupportedFormatException? Foreign { get; private set; }

    /// <summary>
    /// Follows the chain to the first offset without a valid record, from where the last call stopped.
    /// </summary>
    /// <param name="error">The reason why no valid record begins there.</param>
    public void FollowToEnd(out DecodeError error)
    {
        while (true)
        {
            var last = Last;
            ContinuesIn = last.FindEnd(ref _synced, out error);
            if (error.IsUnsupported) return;
            var next = all.Find(candidate => candidate.Number > last.Number && candidate.LinksTo(last));
            if (next is null) return;
            Segments.Add(next);
        }
    }

    /// <summary>
    /// Searches the rest of the last segment, and later segments outside the chain, for valid records: they tell how
    /// far the log was durable, and whether another build wrote to it.
    /// </summary>
    public void LookBeyond()
    {
        (TornBytes, HasRecordsBeyond, Foreign) = (0, false, null);
        var last = Last;
        foreach (var segment in all)
        {
            if (segment.Number < last.Number || (segment != last && Segments.Contains(segment))) continue;
            var scan = new TailScan(segment);
            scan.Run(segment == last ? segment.End : WalSegmentHeader.Size);
            if (scan.Foreign is { } record)
                Foreign ??= new UnsupportedFormatException(segment.Path, record.Offset, record.Reason);
            if (scan.End < 0) continue;
            HasRecordsBeyond = true;
            if (scan.Synced > _synced) _synced = scan.Synced;
            if (segment == last) TornBytes = scan.End - last.End;
        }

        // Of a record that was begun and not finished only the offset may be in place.
        if (!HasRecordsBeyond)
            TornBytes = WalRecordHeader.UnfinishedBytes(last.From(last.End), last.End, last.Length - last.End);
    }
}
