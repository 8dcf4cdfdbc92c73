using Varve.Changes;
using Varve.Diagnostics;
using Varve.Memtables;
using Varve.Reading;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// Reads an engine's counters and the sizes of its current version, and shows them to the instruments while the engine
/// is open. Any thread.
/// </summary>
internal sealed class StatisticsReader : IStatisticsSource
{
    private readonly EngineContext _engine;
    private readonly VersionSet _versions;
    private readonly WalWriter _wal;
    private readonly ReadSessions _sessions;
    private readonly History _history;
    private readonly MemtableSupply _supply;
    private readonly ChunkBuffers _buffers;
    private readonly WalSyncer _syncer;
    private readonly ChangeFeed _changes;
    private readonly long _tornTailBytes;
    private readonly long _recoveredEntries;
    private readonly MeteredEngine _metered;

    public StatisticsReader(
        EngineContext engine,
        VersionSet versions,
        WalWriter wal,
        ReadSessions sessions,
        History history,
        MemtableSupply supply,
        ChunkBuffers buffers,
        WalSyncer syncer,
        ChangeFeed changes,
        long tornTailBytes,
        long recoveredEntries)
    {
        _engine = engine;
        _versions = versions;
        _wal = wal;
        _sessions = sessions;
        _history = history;
        _supply = supply;
        _buffers = buffers;
        _syncer = syncer;
        _changes = changes;
        _tornTailBytes = tornTailBytes;
        _recoveredEntries = recoveredEntries;
        _metered = new MeteredEngine(engine.Telemetry.Database, this);
    }

    /// <summary>Shows the engine to the instruments, once it is open.</summary>
    public void Publish() => OpenEngines.Add(_metered);

    /// <summary>Hides the engine from the instruments, before it closes.</summary>
    public void Withdraw() => OpenEngines.Remove(_metered);

    /// <inheritdoc cref="LsmStateMachine.GetStatistics"/>
    public EngineStatistics Read()
    {
        _engine.State.EnsureOpen();
        var free = _versions.Storage.SpaceLeft(_versions.Directory); // a system call, so before anything is held
        var version = _sessions.AcquireCurrent();
        try
        {
            var (views, oldestAge, oldestBytes) = _sessions.DescribeViews(version);
            var (changeReaders, changeLag) = _changes.Describe();
            return ReadCounters(version) with
            {
                FreeDiskBytes = free,
                Memtables = version.Memtables.Length,
                MemtableBytes = version.Memtables.Sum(memtable => memtable.Segment.Length),
                MemtableIndexBytes = version.Memtables.Sum(memtable => memtable.Index.BytesUsed),
                Runs = [.. version.Runs.Select(run => new RunStatistics(run.Tables.Length, run.Rows, run.Bytes))],
                Disk = new DiskUsage
                {
                    Log = version.Memtables.Sum(memtable => memtable.Segment.Length),
                    Tables = version.Runs.Sum(run => run.Bytes),
                    History = _history.BytesBeside(version),
                    Spare = _supply.SpareSegmentBytes + _versions.RecycledFiles.Bytes,
                    Manifest = _versions.ManifestLength,
                },
                Leases = CountLeases(version),
                OpenViews = views,
                OldestViewAge = oldestAge,
                OldestViewBytes = oldestBytes,
                ChangeReaders = changeReaders,
                ChangeLag = changeLag,
            };
        }
        finally
        {
            version.Release();
        }
    }

    /// <summary>The part that is read under the gate.</summary>
    private EngineStatistics ReadCounters(DbVersion version)
    {
        var counters = _engine.Counters;
        using (_versions.EnterGate())
        {
            return WithWork(new EngineStatistics
            {
                Name = _engine.Telemetry.Database,
                LastApplied = version.Applied.Read().Id,
                DurableLogId = _syncer.DurableGateHeld,
                EntriesApplied = counters.EntriesApplied,
                ChunksApplied = counters.ChunksApplied,
                Operations = OperationsOf(counters.Operations),
                WalBytes = _wal.BytesAppended,
                FlushBytes = counters.FlushBytes,
                CompactionBytes = counters.CompactionBytes,
                ManifestBytes = _versions.ManifestBytes,
                SnapshotBytes = counters.SnapshotBytes,
                Flushes = counters.Flushes,
                Compactions = counters.Compactions,
                Syncs = counters.Syncs,
                FlushStalls = counters.FlushStalls,
                Pauses = counters.Pauses,
                SegmentStalls = counters.SegmentStalls,
                StallTime = counters.StallTime,
                ChunkBytes = _buffers.Bytes,
                MemoryBytes = _supply.BytesInUse,
                MemoryBudgetBytes = _engine.Options.MemoryBudgetBytes,
                TornTailBytes = _tornTailBytes,
                RecoveredEntries = _recoveredEntries,
                Fault = _engine.State.Fault?.Message,
            });
        }
    }

    private EngineStatistics WithWork(EngineStatistics statistics)
    {
        var totals = _engine.Telemetry.Totals;
        return statistics with
        {
            FlushTime = totals.TimeOf(Work.Flush),
            CompactionTime = totals.TimeOf(Work.Compaction),
            SyncTime = totals.TimeOf(Work.Sync),
            Snapshots = totals.CountOf(Work.Snapshot),
            SnapshotTime = totals.TimeOf(Work.Snapshot),
            Installs = totals.CountOf(Work.Install),
            InstallTime = totals.TimeOf(Work.Install),
            RecoveryTime = totals.TimeOf(Work.Recovery),
        };
    }

    private static OperationCounts OperationsOf(ReadOnlySpan<long> counts) => new()
    {
        Noops = counts[(int)CommandKind.Noop],
        Inserts = counts[(int)CommandKind.Insert],
        Deletes = counts[(int)CommandKind.Delete],
        CompareAndSwaps = counts[(int)CommandKind.CompareAndSwap],
        CompareAndDeletes = counts[(int)CommandKind.CompareAndDelete],
        Renewals = counts[(int)CommandKind.Renew],
        Refused = counts[EngineCounters.RefusedPlace],
    };

    /// <summary>By the lease time that the last caller saw: a listener's thread does not call the clock.</summary>
    private long CountLeases(DbVersion version)
    {
        var now = _engine.Clock.SeenLeaseTime(version.Applied.Read().LogTimeMs);
        var sum = version.Memtables.Sum(memtable => memtable.Index.Leases);
        foreach (var run in version.Runs)
            foreach (var table in run.Tables)
                if (table.Descriptor.LeaseCount > 0) sum += table.Table.CountLeasesAfter(now);
        return sum;
    }
}
