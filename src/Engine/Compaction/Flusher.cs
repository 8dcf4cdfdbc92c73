using Varve.Commit;
using Varve.Format;
using Varve.LiveKeys;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;

namespace Varve.Compaction;

/// <summary>
/// Writes a sealed memtable as a run of its own, and has the version that follows say so. One thread at a time.
/// </summary>
internal sealed class Flusher(
    EngineContext engine, VersionSet versions, WalSyncer syncer, LiveKeyCounter liveKeys, FlushCompletion completion)
{
    private const int RowsAtOnce = 32;

    /// <summary>
    /// Flushes the oldest memtable of a version, which is sealed; false, with nothing done, when the engine is closing
    /// or another state is current by now.
    /// </summary>
    public bool Flush(DbVersion version, Memtable memtable)
    {
        var last = memtable.Last!.Value;
        // What is not published must not get into tables.
        if (version.Generation.Applied.Read().Index < last.Index) syncer.SyncAll();
        using var batch = new TableSetWriter(
            versions.Storage,
            versions.Directory,
            versions.DatabaseId,
            versions.Numbers,
            version.Generation.HashSeed,
            engine.Options,
            long.MaxValue,
            versions.Spares,
            memtable.Segment.End);
        WriteRows(version, memtable, batch);
        if (!liveKeys.TryCountAtEnd(version, memtable, out var counted)) return false;
        var added = TableHandle.OpenAll(
            versions.Storage, batch.Finish(descriptor => FileNames.Table(descriptor.Number)), engine.Options);
        engine.Counters.FlushBytes += batch.BytesWritten;
        // Closing; or latched, and then what was read may be pages that a failed sync let go of.
        return TableHandle.HandOver(added, () => !engine.State.IsStopping && Commit(version, memtable, added, counted));
    }

    private bool Commit(
        DbVersion version, Memtable memtable, List<TableHandle> added, (long LiveCount, ulong TimeMs) counted)
    {
        var order = (version.Runs.Length == 0 ? 0 : version.Runs[0].Order) + 1;
        DbVersion? replaced = null;
        return versions.Commit(
            version.Generation,
            before =>
            {
                using (versions.EnterGate())
                {
                    return new VersionEdit
                    {
                        NextFileNumber = 0,
                        FirstSegment = before.Memtables[^2].Segment.Number,
                        State = DescribeLocked(before, counted),
                        Added = [.. added.Select(table => new AddedTable(order, table.Descriptor))],
                    };
                }
            },
            (current, edit) =>
            {
                replaced = current;
                Run[] runs = added.Count == 0 ? current.Runs : [new Run(order, [.. added]), .. current.Runs];
                return new DbVersion(current.Generation, current.Memtables[..^1], runs, edit.State!);
            },
            current => completion.CompleteLocked(replaced!, current, memtable));
    }

    /// <summary>The state as of the end of a version's oldest memtable, which is sealed.</summary>
    private static MachineState DescribeLocked(DbVersion version, (long LiveCount, ulong TimeMs) counted)
    {
        var last = version.Memtables[^1].Last!.Value;
        return version.Generation.DescribeLocked(
            last, version.CleanedAt(last.Index), counted.LiveCount, counted.TimeMs);
    }

    /// <summary>
    /// Writes the memtable's rows, and counts them by their keys unless the census has begun to count them in the log's
    /// order.
    /// </summary>
    private void WriteRows(DbVersion version, Memtable memtable, TableSetWriter batch)
    {
        var difference = liveKeys.TryCountByKeys(version, memtable, out var time)
            ? new FlushDelta(version.Runs, time) : null;
        var from = new FlushIterator(memtable, version.TableHasher);
        Span<RowRef> rows = stackalloc RowRef[RowsAtOnce];
        for (var count = from.Take(rows); count > 0; count = from.Take(rows))
        {
            difference?.Count(rows[..count]);
            foreach (ref readonly var row in rows[..count]) batch.Add(row);
        }

        if (difference is not null) liveKeys.CountedByKeys(version, memtable, time, difference.Value, from.Leases);
    }
}
