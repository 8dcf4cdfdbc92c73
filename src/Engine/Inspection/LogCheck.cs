using Varve.Contract;
using Varve.Format;
using Varve.Memtables;
using Varve.Recovery;
using Varve.Storage;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Inspection;

/// <summary>
/// Checks the write-ahead log of a database: every segment, the chain of segments, and valid records behind a break.
/// </summary>
internal sealed class LogCheck(IStorage storage, string directory, bool deep, Findings findings)
{
    // Larger reads leave large folios in the page cache, which a later mapped store would dirty whole.
    private const int PageSize = 4096;

    /// <summary>
    /// Checks the segments from <paramref name="first"/> on, which continue <paramref name="state"/>.
    /// </summary>
    public void Run(Guid databaseId, ulong first, MachineState state)
    {
        foreach (var name in storage.List(directory))
        {
            if (!FileNames.TryParse(name, FileNames.SegmentSuffix, out var number) || number < first) continue;
            findings.Files++;
            findings.ReadThrough(storage, Path.Combine(directory, name), 0, PageSize);
        }

        var log = WalRecovery.Run(storage, directory, databaseId, first, MappingAccess.Table, findings.Report);
        var owned = log.Segments.Concat(log.Unused).ToHashSet();
        try
        {
            foreach (var segment in log.Segments) CountRecords(segment);
            CheckEnd(log);
            if (!deep) return;
            using var indexes = new IndexPool();
            var replay = new WalReplayer(new StateGeneration(state, EngineOptions.OutcomesKept), state, indexes);
            foreach (var segment in log.Segments)
            {
                var memtable = replay.Replay(segment, findings.Report);
                owned.Remove(segment); // the memtable disposes it
                memtable.Release();
            }
        }
        finally
        {
            foreach (var segment in owned) segment.Dispose();
        }
    }

    private void CountRecords(WalSegment segment)
    {
        var records = segment.Records();
        while (records.MoveNext()) findings.Count(records.Current.Header);
    }

    private void CheckEnd(RecoveredLog log)
    {
        if (log.Ending is LogEnding.CleanEnd or LogEnding.Unsupported) return;
        var last = log.Segments.Count == 0 ? null : log.Segments[^1];
        var beyond = 0L;
        ulong lastIndex = 0;
        foreach (var segment in log.Unused.Where(segment => last is null || segment.Number > last.Number).Prepend(last))
        {
            if (segment is null) continue;
            var end = segment == last ? segment.End : WalSegmentHeader.Size;
            foreach (var record in WalRecovery.RecordsFrom(segment, end))
            {
                // The first break is reported already; this is a later one.
                if (record.Offset != end && !(segment == last && end == segment.End) && log.Ending == LogEnding.Corrupt)
                    findings.Report(
                        segment.Path, end, CorruptionKind.Log, $"no valid record before offset {record.Offset}");
                findings.Count(record);
                beyond++;
                lastIndex = Math.Max(lastIndex, record.LastIndex);
                end = record.Offset + record.Length;
            }
        }

        var behind = beyond == 0 ? "" : $", and {beyond} valid records after them, up to index {lastIndex}";
        if (log.Ending == LogEnding.TornTail)
            findings.Remark(
                last!.Path, last.End, "log tail",
                $"torn tail of {log.TornBytes} bytes, not known to be durable{behind}; an open drops them");
        else if (beyond > 0)
            findings.Remark(
                last?.Path ?? directory, last?.End ?? 0, CorruptionKind.Log, $"break between records{behind}");
    }
}
