using System.Runtime.CompilerServices;
using Varve.Compaction;
using Varve.Runtime;
using Varve.Snapshots;
using Varve.Storage;
using Varve.Versions;
using Varve.Wal;
using Varve.Reading;

namespace Varve;

/// <summary>
/// An LSM engine that is the state machine of a Raft group. Applies are serialised inside; reads run on any number of threads
/// and wait for nothing. One writer a directory, and any number of read-only engines beside it.
/// </summary>
public sealed partial class LsmStateMachine : IStateMachine, IDisposable
{
    private readonly EngineOptions _options;
    private readonly VersionSet _versions;
    private readonly ReadSessions _sessions;
    private readonly PointReads _reads;
    private readonly WalWriter _wal;
    private readonly SegmentPool _pool;
    private readonly MemtableFactory _memtables;
    private readonly MemtableStock _stock;
    private readonly MemoryBudget _budget;
    private readonly WakeSignal _backgroundWake = new();
    private readonly Background? _background; // null when read-only: nothing to do there
    private readonly IdleWatch? _idle; // and here
    private readonly Follower? _follower; // of a read-only engine
    private readonly LogSyncer _syncer;
    private readonly TableJobs _jobs;
    private readonly HistoryList _history;
    private readonly DirectoryClaim _claim;
    private readonly Opening.Report _report;
    private readonly SnapshotRecords _snapshots;
    private readonly EngineState _state;
    private readonly EngineClock _clock;
    private readonly EngineCounters _counters = new();

    /// <inheritdoc/>
    public bool IsRunning => _state.IsRunning;

    /// <inheritdoc/>
    public LogId LastApplied
    {
        get
        {
            _state.EnsureOpen();
            return _sessions.Position.Id;
        }
    }

    /// <summary>Everything up to here survives power loss.</summary>
    public LogId DurableLogId
    {
        get
        {
            _state.EnsureOpen();
            using (_versions.EnterGate()) return _syncer.DurableLocked;
        }
    }

    /// <inheritdoc/>
    public SnapshotMetadata? SnapshotMetadata
    {
        get
        {
            _state.EnsureOpen();
            return _snapshots.Last;
        }
    }

    /// <inheritdoc/>
    public ulong? EntryTerm(ulong index)
    {
        _state.EnsureOpen();
        return _reads.EntryTerm(index);
    }

    /// <summary>A reading of the engine's counters, cheap enough to poll.</summary>
    public EngineStatistics GetStatistics()
    {
        _state.EnsureOpen();
        var version = _versions.AcquireCurrent();
        try
        {
            var (views, oldestAge, oldestBytes) = _sessions.DescribeViews(version);
            var indexBytes = 0L;
            var bytes = 0L;
            foreach (var memtable in version.Memtables)
            {
                indexBytes += memtable.Index.BytesUsed;
                bytes += memtable.Segment.Length;
            }

            using (_versions.EnterGate())
            {
                return new EngineStatistics
                {
                    LastApplied = version.Incarnation.Applied.Read().Id,
                    DurableLogId = _syncer.DurableLocked,
                    EntriesApplied = _counters.EntriesApplied,
                    ChunksApplied = _counters.ChunksApplied,
                    WalBytes = _wal.BytesAppended,
                    FlushBytes = _counters.FlushBytes,
                    CompactionBytes = _counters.CompactionBytes,
                    ManifestBytes = _versions.ManifestBytes,
                    SnapshotBytes = _counters.SnapshotBytes,
                    Flushes = _counters.Flushes,
                    Compactions = _counters.Compactions,
                    Syncs = _counters.Syncs,
                    FlushStalls = _counters.FlushStalls,
                    Pauses = _counters.Pauses,
                    SegmentStalls = _counters.SegmentStalls,
                    StallTime = _counters.StallTime,
                    Memtables = version.Memtables.Length,
                    MemtableBytes = bytes,
                    MemtableIndexBytes = indexBytes,
                    ChunkBytes = _scratch.Bytes,
                    MemoryBytes = _stock.BytesInUse,
                    MemoryBudgetBytes = _options.MemoryBudgetBytes,
                    Runs = [.. version.Runs.Select(run => new RunStatistics(run.Tables.Length, run.Rows, run.Bytes))],
                    OpenViews = views,
                    OldestViewAge = oldestAge,
                    OldestViewBytes = oldestBytes,
                    TornTailBytes = _report.TornTailBytes,
                    RecoveredEntries = _report.RecoveredEntries,
                    Fault = _state.Fault?.Message,
                };
            }
        }
        finally
        {
            version.Release();
        }
    }

    /// <summary>The current version, referenced for the caller: an inspection looks at its files.</summary>
    internal Versions.Version AcquireVersion() => _versions.AcquireCurrent();
}
