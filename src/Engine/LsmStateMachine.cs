using System.Runtime.CompilerServices;
using Varve.Compaction;
using Varve.Snapshots;
using Varve.Storage;
using Varve.Versions;
using Varve.Wal;

namespace Varve;

/// <summary>
/// An LSM engine that is the state machine of a Raft group. Applies are serialised inside; reads run on any number of threads
/// and wait for nothing. One writer a directory, and any number of read-only engines beside it.
/// </summary>
public sealed partial class LsmStateMachine : IStateMachine, IDisposable
{
    private const int Running = 0;
    private const int Stopped = 1;
    private const int Closed = 2;

    private readonly EngineOptions _options;
    private readonly VersionSet _versions;
    private readonly PinTable _pins;
    private readonly ViewPool _views;
    private readonly ViewClock _viewClock;
    private readonly WalWriter _wal;
    private readonly SegmentPool _pool;
    private readonly MemtableFactory _memtables;
    private readonly MemtableStock _stock;
    private readonly MemoryBudget _budget;
    private readonly Background? _background; // null when read-only: nothing to do there
    private readonly IdleWatch? _idle; // and here
    private readonly Follower? _follower; // of a read-only engine
    private readonly LogSyncer _syncer;
    private readonly TableJobs _jobs;
    private readonly HistoryList _history;
    private readonly DirectoryClaim _claim;
    private readonly Opening.Report _report;
    private readonly SnapshotRecords _snapshots;
    private ulong _localTime;
    private long _entriesApplied;
    private long _chunksApplied;
    private long _segmentStalls;
    private long _flushStalls;
    private long _pauses;
    private long _stallTicks;
    private long _snapshotBytes;
    private int _state;
    private Exception? _fault;

    /// <inheritdoc/>
    public bool IsRunning => State == Running;

    private int State
    {
        get => Volatile.Read(ref _state);
        set => Volatile.Write(ref _state, value);
    }

    /// <inheritdoc/>
    public LogId LastApplied
    {
        get
        {
            ThrowIfClosed();
            return ReadPosition().Id;
        }
    }

    /// <summary>Everything up to here survives power loss.</summary>
    public LogId DurableLogId
    {
        get
        {
            ThrowIfClosed();
            using (_versions.EnterGate()) return _syncer.DurableLocked;
        }
    }

    /// <inheritdoc/>
    public SnapshotMetadata? SnapshotMetadata
    {
        get
        {
            ThrowIfClosed();
            return _snapshots.Last;
        }
    }

    /// <inheritdoc/>
    public ulong? EntryTerm(ulong index)
    {
        ThrowIfClosed();
        _pins.Enter();
        try
        {
            var version = ReadPoint(out var position);
            return index == 0 || index > position.Index ? null : version.Incarnation.Terms.Find(index);
        }
        finally
        {
            LeaveRead();
        }
    }

    /// <summary>A reading of the engine's counters, cheap enough to poll.</summary>
    public EngineStatistics GetStatistics()
    {
        ThrowIfClosed();
        var version = _versions.AcquireCurrent();
        try
        {
            var (views, oldestAge, oldestBytes) = _views.Describe(version);
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
                    EntriesApplied = _entriesApplied,
                    ChunksApplied = _chunksApplied,
                    WalBytes = _wal.BytesAppended,
                    FlushBytes = _jobs.FlushBytes,
                    CompactionBytes = _jobs.CompactionBytes,
                    ManifestBytes = _versions.ManifestBytes,
                    SnapshotBytes = Volatile.Read(ref _snapshotBytes),
                    Flushes = _jobs.Flushes,
                    Compactions = _jobs.Compactions,
                    Syncs = _syncer.Syncs,
                    FlushStalls = _flushStalls,
                    Pauses = _pauses,
                    SegmentStalls = _segmentStalls,
                    StallTime = TimeSpan.FromTicks(_stallTicks),
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
                    Fault = Volatile.Read(ref _fault)?.Message,
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

    /// <summary>The version to read and the position that goes with it; under a pin.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Versions.Version ReadPoint(out LogPosition position)
    {
        while (true)
        {
            // The position was published while the version was current, so the version has everything up to it and its tables
            // have nothing beyond it.
            var version = _versions.Current;
            position = version.Incarnation.Applied.Read();
            if (version == _versions.Current) return version;
        }
    }

    /// <summary>As <see cref="ReadPoint"/>, for what outlives a call: with a reference to the version, which the caller releases.</summary>
    private Versions.Version AcquirePoint(out LogPosition position)
    {
        _pins.Enter();
        try
        {
            while (true)
            {
                var version = ReadPoint(out position);
                if (version.TryAcquire()) return version;
            }
        }
        finally
        {
            LeaveRead();
        }
    }

    private LogPosition ReadPosition()
    {
        _pins.Enter();
        ReadPoint(out var position);
        LeaveRead();
        return position;
    }

    /// <summary>As <see cref="LeaseTime"/>, without a look at the clock: for where a lock is held, after that look.</summary>
    private ulong SeenLeaseTime(in LogPosition position) =>
        _options.LeaseClock == LeaseClock.Log ? position.LogTimeMs : Volatile.Read(ref _localTime);

    /// <summary>The local clock, which never runs backward within an instance, nor past what was logged, Unix milliseconds.</summary>
    private ulong LocalTime()
    {
        var now = EngineClock.Read(_options.TimeProvider);
        var seen = Volatile.Read(ref _localTime);
        while (now > seen)
        {
            var before = Interlocked.CompareExchange(ref _localTime, now, seen);
            if (before == seen) return now;
            seen = before;
        }

        return seen;
    }

    /// <summary>The time by which leases are judged at a position.</summary>
    private ulong LeaseTime(in LogPosition position) => _options.LeaseClock == LeaseClock.Log ? position.LogTimeMs : LocalTime();

    /// <summary>Whether there is no point in waiting for the background any more.</summary>
    private bool HasEnded() => State != Running || Volatile.Read(ref _fault) is not null;

    private void EnsureReadable()
    {
        if (State != Running) ThrowNotRunning();
    }

    private void EnsureWritable()
    {
        if (State != Running) ThrowNotRunning();
        EnsureMutable();
    }

    private void EnsureMutable()
    {
        EnsureNotFaulted();
        if (_options.ReadOnly) throw new InvalidOperationException("The engine was opened read-only.");
    }

    private void EnsureNotFaulted()
    {
        ThrowIfClosed();
        if (Volatile.Read(ref _fault) is { } fault) throw new EngineFaultedException(fault);
    }

    private void ThrowIfClosed() => ObjectDisposedException.ThrowIf(State == Closed, this);

    private void ThrowNotRunning()
    {
        ThrowIfClosed();
        throw new InvalidOperationException("The state machine is stopped; call StartAsync first.");
    }

    /// <summary>Remembers the first failure after which nothing can be promised; from then on nothing is acknowledged.</summary>
    private void Latch(Exception failure)
    {
        var isFirst = Interlocked.CompareExchange(ref _fault, failure, null) is null;
        _jobs.WakeWaiters();
        FailCompactions();
        if (isFirst) _log.PostFault(failure);
    }
}
