using Varve.Commit;
using Varve.Diagnostics;
using Varve.LiveKeys;
using Varve.Memory;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;

namespace Varve.Compaction;

/// <summary>
/// Writes the oldest sealed memtable to files, as a run of its own.
/// <para>
/// The problem: a flush changes five things that belong to different owners: the files, the manifest, the current
/// version, the history of versions and the log, which reuses the memtable's segment. A crash or a failure between any
/// two of them must leave a database that opens with every acknowledged entry, and a reader must see the memtable or
/// its run, never neither. So a flush is five steps, which <see cref="TakeSteps"/> does in this order:
/// </para>
/// <list type="number">
/// <item><see cref="Write"/>: rows become synced, named, opened tables (I4). What is not published yet is synced to the
/// log first and so published (I1): under <see cref="Durability.Power"/> a table must hold nothing that could still be
/// lost (I3).</item>
/// <item><see cref="Describe"/>: the change as data, with the state as of the memtable's last entry.</item>
/// <item>AppendEdit: the manifest record is durable (I5). From here on recovery does not need the memtable's segment;
/// before, a failure leaves everything as it was.</item>
/// <item>Release: history takes the version, the log forgets the segment.</item>
/// <item>Install: files are marked, and the new version becomes current. From here on another thread may free the
/// memtable and recycle its segment, so Release comes first, and both in one gate section: an applier or a cut that
/// enters the gate finds log, history and version in agreement.</item>
/// </list>
/// <para>
/// The obvious design prepares the new version, syncs the edit, and stores the version. It lost: memtables rotate while
/// the edit is synced, and the stored version would lack the new ones. Holding the gate across the sync would keep them
/// from rotating, and every applier waiting for it. So the change is data until the switch.
/// </para>
/// <para>One thread at a time: the background's, or the one that closes the engine once that has ended.</para>
/// </summary>
internal sealed class Flusher(
    EngineContext engine, VersionSet versions, WalSyncer syncer, LiveKeyCounter liveKeys, FlushCompletion completion)
{
    private const int RowsAtOnce = 32;

    /// <summary>
    /// Flushes the oldest memtable of a version, which is sealed; false, with nothing done, when the engine is closing
    /// or the version's generation is gone.
    /// </summary>
    /// <param name="version">The version.</param>
    /// <param name="memtable">Its oldest memtable.</param>
    /// <param name="reason">The cause of the flush, for its span.</param>
    public bool Flush(DbVersion version, Memtable memtable, string reason) =>
        engine.Telemetry.Run(Work.Flush, facts =>
        {
            facts.Reason = reason;
            facts.Index = memtable.Last!.Value.Index;
            facts.Level = Levels.Of(0, version.Runs.Length + 1);
            var isDone = TakeSteps(version, memtable, facts);
            facts.IsDropped = !isDone;
            return isDone;
        });

    private bool TakeSteps(DbVersion version, Memtable memtable, WorkFacts facts)
    {
        if (Write(version, memtable, facts, out var counted) is not { } tables) return false;
        try
        {
            var change = Describe(version, memtable, tables, counted);
            if (engine.State.IsStopping)
            {
                // Closing; or latched, and then what was read may be pages that a failed sync dropped.
                change.MarkNewFiles();
                return false;
            }

            using (versions.EnterManifest())
            {
                if (!versions.AppendEditManifestHeld(change)) return false;
                using (versions.EnterGate())
                {
                    completion.ReleaseGateHeld(versions.Current, change);
                    versions.InstallGateHeld(change);
                }
            }

            return true;
        }
        finally
        {
            tables.ForEach(static table => table.Release());
        }
    }

    /// <summary>
    /// Writes the rows to tables, which are synced and opened with one reference each; counts the live keys as of the
    /// memtable's end. Null, with nothing left behind, when the version's generation is gone.
    /// </summary>
    private List<TableHandle>? Write(
        DbVersion version, Memtable memtable, WorkFacts facts, out (long LiveCount, ulong TimeMs) counted)
    {
        var last = memtable.Last!.Value;
        if (version.Generation.Applied.Read().Index < last.Index) syncer.SyncAll();
        using var batch = new TableSetWriter(
            versions.Storage,
            versions.Directory,
            versions.DatabaseId,
            versions.Numbers,
            version.Generation.HashSeed,
            engine.Options,
            long.MaxValue,
            versions.RecycledFiles,
            memtable.Segment.End);
        WriteRows(version, memtable, batch);
        if (!liveKeys.TryEndFlush(version, memtable, out counted)) return null;
        var tables = TableHandle.OpenAll(
            versions.Storage, batch.Finish(descriptor => FileNames.Table(descriptor.Number)), engine.Options);
        engine.Counters.FlushBytes += batch.BytesWritten;
        facts.Bytes = batch.BytesWritten;
        facts.Rows = tables.Sum(table => table.Descriptor.RowCount);
        return tables;
    }

    /// <summary>
    /// Writes the memtable's rows, and counts them by their keys unless the counter has begun to count them in the
    /// log's order.
    /// </summary>
    private void WriteRows(DbVersion version, Memtable memtable, TableSetWriter batch)
    {
        var delta = liveKeys.TryBeginFlush(version, memtable);
        var from = new FlushIterator(memtable, version.TableHasher);
        Span<RowRef> rows = stackalloc RowRef[RowsAtOnce];
        for (var count = from.CopyTo(rows); count > 0; count = from.CopyTo(rows))
        {
            delta?.Add(rows[..count]);
            foreach (ref readonly var row in rows[..count]) batch.Add(row);
        }

        if (delta is not null) liveKeys.AddFlush(version, memtable, delta, from.Leases);
    }

    /// <summary>The change that replaces the memtable by its tables, if it had rows.</summary>
    private VersionChange Describe(
        DbVersion version, Memtable memtable, List<TableHandle> tables, (long LiveCount, ulong TimeMs) counted)
    {
        var order = (version.Runs.Length == 0 ? 0 : version.Runs[0].Order) + 1;
        var last = memtable.Last!.Value;
        using (versions.EnterGate())
        {
            return new VersionChange
            {
                Generation = version.Generation,
                MemtableOut = memtable,
                RunIn = tables.Count == 0 ? null : new Run(order, [.. tables]),
                BaseState = version.Generation.DescribeGateHeld(
                    last, memtable.Mark, version.CleanedAt(last.Index), counted.LiveCount, counted.TimeMs),
                FirstSegment = version.Memtables[^2].Segment.Number,
            };
        }
    }
}
