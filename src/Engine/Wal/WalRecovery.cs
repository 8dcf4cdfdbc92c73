using Varve.Contract;
using Varve.Format;
using Varve.Storage;

namespace Varve.Wal;

/// <summary>Finds the log of a database: its segments, their ends, and how the last one ended.</summary>
/// <remarks>
/// <para>
/// The problem: a crash loses an arbitrary part of what was not synced, and damage destroys an arbitrary part of what
/// was. Both end the log at the first invalid record, X. The first must be dropped silently, since an open after a
/// power loss is no event; the second must never be, since it would lose what was acknowledged as durable (I3).
/// </para>
/// <para>
/// The log is a chain: each segment begins with a segment link, which names number, end and salt of the segment before
/// it. Recovery reads to X and continues in the segment whose link names exactly X; without one, X is the end. Every
/// record carries how far the log was synced when the record was written. So a valid record anywhere that says that
/// something at or behind X was synced proves that X was damaged after it was durable.
/// </para>
/// <para>The cases of an end at X, in the order in which they are decided:</para>
/// <list type="number">
/// <item>No segment has the number that the manifest names first: corrupt.</item>
/// <item>X is an intact record of an unknown type: unsupported. What it says of the log cannot be read.</item>
/// <item>An intact record of an unknown type lies beyond X: unsupported, for the same reason.</item>
/// <item>A valid record, before X or beyond it, knows the log to be synced beyond X: corrupt.</item>
/// <item>The last record before X is a sealed record, and the segment it names is missing: corrupt. That segment was
/// durable before it was named, and is deleted only after another one has linked to the same end.</item>
/// <item>Valid records, or the beginning of one, lie beyond X: torn tail. The next segment's link will name X as the
/// end, so that what lies beyond never comes back.</item>
/// <item>Otherwise: clean end, also if the last record is a sealed record and its segment holds no link to X.</item>
/// </list>
/// <para>
/// The obvious design, to end the log at the first invalid record, cannot tell case 4 from case 6. One that keeps the
/// synced length in a file of its own pays a second sync for each commit. A record's own knowledge costs 16 bytes, and
/// it lags: the last synced record before a crash is vouched for only by what follows, which is why a close appends one
/// more (<see cref="WalWriter.TryAppendCloseMarker"/>).
/// </para>
/// <para>
/// A reader may recover beside a writer that appends. A record that becomes valid between the two readings of X only
/// means that the writer was faster, so both are repeated until X holds still. One thread; nothing is written.
/// </para>
/// </remarks>
internal static class WalRecovery
{
    /// <summary>Recovers the log from segment <paramref name="first"/> on.</summary>
    /// <exception cref="CorruptionException">A durable part of the log is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">Another build wrote a segment or a record.</exception>
    public static RecoveredLog Run(
        IStorage storage, string directory, Guid databaseId, ulong first, MappingAccess access) =>
        Run(storage, directory, databaseId, first, access, static damage => throw damage);

    /// <summary>
    /// Recovers the log like the other overload, but passes each damage to <paramref name="report"/> and continues
    /// without the damaged part. The chain may be empty.
    /// </summary>
    public static RecoveredLog Run(
        IStorage storage, string directory, Guid databaseId, ulong first, MappingAccess access,
        Action<VarveException> report)
    {
        var all = new List<WalSegment>();
        try
        {
            foreach (var name in storage.List(directory))
            {
                if (!FileNames.TryParse(name, FileNames.SegmentSuffix, out var number) || number < first) continue;
                try
                {
                    all.Add(WalSegment.Open(storage, Path.Combine(directory, name), number, databaseId, access));
                }
                catch (VarveException damage) when (damage is CorruptionException or UnsupportedFormatException)
                {
                    report(damage);
                }
            }

            all.Sort((a, b) => a.Number.CompareTo(b.Number));
            if (all.Count > 0 && all[0].Number == first) return Follow(new LogChain(all), report);
            report(CorruptionException.Of(
                Path.Combine(directory, FileNames.Segment(first)), 0, CorruptionKind.Log,
                "the first segment that the manifest names cannot be read"));
            return new RecoveredLog([], all, LogEnding.Corrupt, false, 0, default);
        }
        catch
        {
            foreach (var segment in all) segment.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The valid records at or behind an offset, in order, wherever they begin; in hostile bytes as many as
    /// <see cref="TailScan"/> finds.
    /// </summary>
    public static List<WalRecordHeader> RecordsFrom(WalSegment segment, long from)
    {
        var found = new List<WalRecordHeader>();
        var scan = new TailScan(segment) { Found = found };
        scan.Run(from);
        found.Sort((x, y) => x.Offset.CompareTo(y.Offset));
        return found;
    }

    private static RecoveredLog Follow(LogChain chain, Action<VarveException> report)
    {
        do
        {
            chain.FollowToEnd(out var error);
            if (error.IsUnsupported)
            {
                report(DecodeFailure.Of(chain.Last.Path, chain.Last.End, CorruptionKind.Record, error));
                return Unsupported(chain);
            }

            chain.LookBeyond();
            Volatile.ReadBarrier();
        }
        // A writer beside this reader may have finished the record at X, and written what lies beyond it.
        while (chain.Last.TryReadRecord(chain.Last.End, out _, out _));

        if (chain.Foreign is { } foreign)
        {
            report(foreign);
            return Unsupported(chain);
        }

        return new RecoveredLog(
            chain.Segments, chain.Unused, Judge(chain, report), chain.ContinuesIn is not null, chain.TornBytes,
            chain.Synced);
    }

    private static LogEnding Judge(LogChain chain, Action<VarveException> report)
    {
        var (last, synced, end) = (chain.Last, chain.Synced, chain.Last.LogEnd);
        var isCorrupt = false;
        if (synced > end)
        {
            isCorrupt = true;
            report(CorruptionException.Of(
                last.Path, last.End, CorruptionKind.Log,
                $"no valid record, and the log was durable up to segment {synced.Segment}, offset {synced.Offset}"));
        }

        if (chain.IsContinuationMissing)
        {
            isCorrupt = true;
            var path = Path.Combine(Path.GetDirectoryName(last.Path)!, FileNames.Segment(chain.ContinuesIn!.Value));
            report(CorruptionException.Of(
                path, 0, CorruptionKind.Log,
                $"cannot be read, and the log continues in it after {FileNames.Segment(last.Number)}"));
        }

        if (isCorrupt) return LogEnding.Corrupt;
        return chain.HasRecordsBeyond || chain.TornBytes > 0 ? LogEnding.TornTail : LogEnding.CleanEnd;
    }

    private static RecoveredLog Unsupported(LogChain chain) =>
        new(chain.Segments, chain.Unused, LogEnding.Unsupported, false, 0, chain.Synced);
}
