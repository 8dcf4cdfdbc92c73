using Varve.Changes;
using Varve.Memtables;
using Varve.Reading;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>Reads an engine's counters and the sizes of its current version. Any thread.</summary>
internal sealed class StatisticsReader(
    EngineContext engine,
    VersionSet versions,
    WalWriter wal,
    ReadSessions sessions,
    MemtableSupply supply,
    ChunkBuffers buffers,
    WalSyncer syncer,
    ChangeFeed changes,
    long tornTailBytes,
    long recoveredEntries)
{
    /// <inheritdoc cref="LsmStateMachine.GetStatistics"/>
    public EngineStatistics Read()
    {
        var version = sessions.AcquireCurrent();
        try
        {
            var (views, oldestAge, oldestBytes) = sessions.DescribeViews(version);
            var (changeReaders, changeLag) = changes.Describe();
            var indexBytes = 0L;
            var bytes = 0L;
            foreach (var memtable in version.Memtables)
            {
                indexBytes += memtable.Index.BytesUsed;
                bytes += memtable.Segment.Length;
            }

            var counters = engine.Counters;
            using (versions.EnterGate())
            {
                return new EngineStatistics
                {
                    LastApplied = version.Generation.Applied.Read().Id,
                    DurableLogId = syncer.DurableGateHeld,
                    EntriesApplied = counters.EntriesApplied,
                    ChunksApplied = counters.ChunksApplied,
                    WalBytes = wal.BytesAppended,
                    FlushBytes = counters.FlushBytes,
                    CompactionBytes = counters.CompactionBytes,
                    ManifestBytes = versions.ManifestBytes,
                    SnapshotBytes = counters.SnapshotBytes,
                    Flushes = counters.Flushes,
                    Compactions = counters.Compactions,
                    Syncs = counters.Syncs,
                    FlushStalls = counters.FlushStalls,
                    Pauses = counters.Pauses,
                    SegmentStalls = counters.SegmentStalls,
                    StallTime = counters.StallTime,
                    Memtables = version.Memtables.Length,
                    MemtableBytes = bytes,
                    MemtableIndexBytes = indexBytes,
                    ChunkBytes = buffers.Bytes,
                    MemoryBytes = supply.BytesInUse,
                    MemoryBudgetBytes = engine.Options.MemoryBudgetBytes,
                    Runs = [.. version.Runs.Select(run => new RunStatistics(run.Tables.Length, run.Rows, run.Bytes))],
                    OpenViews = views,
                    OldestViewAge = oldestAge,
                    OldestViewBytes = oldestBytes,
                    ChangeReaders = changeReaders,
                    ChangeLag = changeLag,
                    TornTailBytes = tornTailBytes,
                    RecoveredEntries = recoveredEntries,
                    Fault = engine.State.Fault?.Message,
                };
            }
        }
        finally
        {
            version.Release();
        }
    }
}
