using System.Diagnostics;
using Varve.Applying;
using Varve.Compaction;
using Varve.Format;
using Varve.Runtime;
using Varve.Snapshots;
using Varve.Storage;
using Varve.Versions;
using Varve.Wal;
using Varve.Reading;

namespace Varve;

public sealed partial class LsmStateMachine : ITableJobsHost
{
    private readonly EngineLog _log;
    private readonly Queue<TaskCompletionSource> _compactions = new();
    private readonly Operations _operations;

    private LsmStateMachine(
        string directory, EngineOptions options, IStorage storage, EngineLog log, DirectoryClaim claim, Opening.Parts parts, MemtableStock stock)
    {
        _options = options;
        _scratch = new ChunkScratch(options.Allocations);
        _refusesInvalid = options.InvalidCommands == InvalidCommands.Refuse;
        _operations = new Operations(options);
        _claim = claim;
        _log = log;
        _state = new EngineState(options, log);
        _versions = new VersionSet(storage, directory, parts.DatabaseId, parts.Numbers, parts.Manifest, parts.Version, options.SpareTableBytes);
        _wal = parts.Wal;
        _pool = parts.Pool;
        _stock = stock;
        _budget = new MemoryBudget(options);
        _memtables = new MemtableFactory(_pool, stock, _budget, parts.Wal.Active.Length);
        _report = parts.Report;
        _snapshots = new SnapshotRecords(parts.Replay.Snapshot);
        _cleanedTime = parts.Replay.CleanedTimeMs;
        _clock = new EngineClock(options, options.LeaseClock == LeaseClock.Local ? Math.Max(parts.Wal.Position.LocalTimeMs, _cleanedTime) : parts.Wal.Position.LocalTimeMs);
        _history = new HistoryList(options.HistoryEntries, options.HistoryBytes, _versions.Reclaimer);
        _sessions = new ReadSessions(_versions, options, _clock, _state, options.ReadOnly ? null : _backgroundWake);
        _reads = new PointReads(_sessions, _state);
        _jobs = new TableJobs(_versions, options, _counters, this);
        _state.Failed = () =>
        {
            _jobs.WakeWaiters();
            FailCompactions();
        };
        _syncer = new LogSyncer(_versions, _wal, _memtables.Prepare, options, parts.Durable, _state, _counters);
        stock.Segments = segment =>
        {
            _syncer.WaitForCurrent();
            _pool.Recycle(segment);
        };
        if (options.ReadOnly)
        {
            _follower = new Follower(_versions, options, stock, parts.Manifest, parts.Replay);
            return;
        }

        _idle = new IdleWatch(options, () => _wal.BytesAppended, WakeWhenIdle);
        _background = new Background("Varve tables", options, _backgroundWake, BackgroundRound, _state.Fail, BackgroundInterval, isDeferrable: true);
    }

    /// <summary>
    /// Opens the database in a directory, and makes one if there is none; recovers it to the state of exactly one applied index.
    /// <see cref="IsRunning"/> is true on return.
    /// </summary>
    /// <param name="directory">A directory of its own; made (mode 0700) if it does not exist.</param>
    /// <param name="options">How; null: the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or the lease clock is not the database's; the message names it.</exception>
    /// <exception cref="AlreadyOpenException">Another engine has the directory open.</exception>
    /// <exception cref="CorruptionException">A file is missing or is not what was written.</exception>
    /// <exception cref="UnsupportedFormatException">A file is of a later format.</exception>
    /// <exception cref="StorageFullException">There is no room for the first segment.</exception>
    /// <exception cref="PlatformNotSupportedException">The processor is big endian.</exception>
    /// <remarks>Whatever it throws, nothing is left of it: no thread, no mapping, no lock.</remarks>
    public static LsmStateMachine Open(string directory, EngineOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ByteOrder.EnsureSupported();
        options ??= new EngineOptions();
        OptionChecks.Check(options);
        var storage = options.Storage ?? Storages.Default;
        directory = Path.GetFullPath(directory);
        var log = new EngineLog(options.LoggerFactory);
        var claim = options.ReadOnly
            ? DirectoryClaim.TryRead(storage, directory) ?? throw Opening.NoDatabase(storage, directory)
            : DirectoryClaim.Write(storage, directory);
        var stock = new MemtableStock();
        Opening.Parts? parts = null;
        LsmStateMachine? engine = null;
        try
        {
            parts = new Opening(storage, directory, options).Run(stock);
            options = options with { LeaseClock = parts.LeaseClock };
            engine = new LsmStateMachine(directory, options, storage, log, claim, parts, stock);
            engine.Begin();
            return engine;
        }
        catch
        {
            if (engine is not null)
            {
                engine.Close();
            }
            else
            {
                parts?.Dispose();
                stock.Dispose();
                claim.Dispose();
            }

            throw;
        }
    }

    /// <summary>Starts what works beside the callers. What fails here, the user's timer among it, ends in <see cref="Close"/>.</summary>
    private void Begin()
    {
        _syncer.Start();
        _background?.Start();
        _idle?.Start();
        _syncer.Wake();
        _background?.Wake();
        var (index, term) = LastApplied;
        _log.Post(logger => Log.Opened(logger, _versions.Directory, index, term, _report.RecoveredEntries, _report.TornTailBytes));
        _log.Emit();
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        _state.Start();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Stop() => _state.Stop();

    /// <summary>
    /// Closes for good: new calls throw <see cref="ObjectDisposedException"/>, the directory is unlocked, mappings are released;
    /// what an open view still sees stays until the view is disposed. Everything applied is made durable first, where the disk
    /// still lets it; a large log segment with little in it is flushed and replaced by a small one. May be called more than once, and returns when the directory is unlocked, whoever closes it.
    /// </summary>
    public void CloseStorage()
    {
        if (Close()) _log.Post(logger => Log.Closed(logger, _versions.Directory, _versions.Current.Applied.Index));
        _log.Emit();
    }

    /// <summary>False where it was closed before.</summary>
    private bool Close()
    {
        // Timers of the user's: outside of the lock.
        _idle?.Dispose();
        _syncer.EndInterval();
        lock (_state.Lifecycle)
        {
            if (_state.IsClosed) return false;
            try
            {
                EndWork();
            }
            finally
            {
                LetGoOfDirectory();
            }

            return true;
        }
    }

    /// <summary>Ends everything that runs, whatever fails meanwhile: what follows takes the memory from under it.</summary>
    private void EndWork()
    {
        _operations.Close();
        // Appliers in the middle of a chunk finish it, as a reader that catches up does; those after see that it is closed.
        lock (_catchingUp)
            using (_versions.EnterGate()) _state.Close();
        _background?.Dispose();
        try
        {
            SyncBeforeClose();
        }
        finally
        {
            _syncer.Dispose();
            _jobs.WakeWaiters();
            FailCompactions();
        }
    }

    /// <summary>Lets go of memory and files, and of the directory last. What open views still see stays, and a share of the directory with it.</summary>
    private void LetGoOfDirectory()
    {
        using (_versions.EnterGate()) _history.Clear();
        _versions.Dispose();
        _memtables.Dispose();
        _stock.Dispose();
        _pool.Dispose();
        _versions.Reclaimer.Retire(_versions.Current);
        try
        {
            _versions.Reclaimer.Collect();
        }
        finally
        {
            if (_versions.Reclaimer.IsAnythingLeft)
            {
                // The last reader out lets go of the mappings, and then of the share.
                _claim.KeepMapped();
                _versions.Reclaimer.RetireLast(_claim);
            }
            else
            {
                _claim.Dispose();
            }

            _state.SetReleased();
        }

        _sessions.CollectAfterClose(); // somebody may have left just before that
    }

    /// <summary>As <see cref="CloseStorage"/>.</summary>
    public void Dispose() => CloseStorage();

    /// <summary>As <see cref="CloseStorage"/>, off the caller's thread.</summary>
    public ValueTask DisposeAsync() => _state.IsReleased ? ValueTask.CompletedTask : new ValueTask(Task.Run(CloseStorage));

    /// <summary>Flushes the memtable and merges everything down to one run, without deleted keys and without expired leases that a clean-up has reported or no longer would.</summary>
    /// <param name="cancellationToken">Cancels the wait, not the work.</param>
    /// <exception cref="StorageFullException">The task's: the disk is full. Nothing is lost; call again when there is space.</exception>
    public Task CompactAsync(CancellationToken cancellationToken = default)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _clock.ReadLocalIfUsed(); // the background goes by what was seen
        using (_versions.EnterGate())
        {
            _state.EnsureMutable();
            try
            {
                if (_versions.Current.Memtables[0].Index.KeyCount > 0 || IsBehindForLeasesLocked(_versions.Current)) RotateLocked(0, filled: null);
            }
            catch (IOException shortage) when (Shortage.IsMet(shortage))
            {
                return Task.FromException(shortage);
            }

            lock (_compactions) _compactions.Enqueue(done);
        }

        if (_state.Fault is not null) FailCompactions(); // latched meanwhile: nobody else may come for it
        _background!.Wake();
        return done.Task.WaitAsync(cancellationToken);
    }

    bool ITableJobsHost.IsStopping => _background is { IsStopping: true } || _state.IsClosed || _state.Fault is not null;

    bool ITableJobsHost.TryStep() => _background is { IsStepped: true } && _background.Step(always: true);

    void ITableJobsHost.SyncLog() => _syncer.SyncAll();

    void ITableJobsHost.TrimHistory()
    {
        using (_versions.EnterGate()) _history.Trim(_versions.Current, _wal.Position.Index);
    }

    MachineState ITableJobsHost.DescribeFlushedLocked(Versions.Version version, long liveCount, ulong countedTimeMs)
    {
        var last = version.Memtables[^1].Last!.Value;
        return DescribeLocked(version.Incarnation, last, version.CleanedAt(last.Index), liveCount, countedTimeMs);
    }

    void ITableJobsHost.FlushedLocked(Versions.Version replaced, Versions.Version current, Memtable memtable)
    {
        if (replaced.Base.LastIndex < current.Base.LastIndex)
        {
            // Without newer memtables: what a cut reads that it serves is in this one or below.
            var past = new Versions.Version(replaced.Incarnation, [memtable], replaced.Runs, replaced.Base);
            _history.Add(past);
            past.Release();
        }

        _history.Trim(current, _wal.Position.Index);
        _snapshots.TrimLocked(current.Base.LastIndex);
        _wal.Forget(memtable.Segment);
        _syncer.NoteDurableLocked(memtable.Last!.Value.Id);
        ReviewMemoryLocked(current);
        var index = memtable.Last!.Value.Index;
        _log.Post(logger => Log.Flushed(logger, index));
    }

    private MachineState DescribeLocked(Incarnation incarnation, LogPosition position, ulong cleanedTimeMs, long liveCount, ulong countedTimeMs) => new()
    {
        LastIndex = position.Index,
        LastTerm = position.Term,
        LogTimeMs = position.LogTimeMs,
        LocalTimeMs = position.LocalTimeMs,
        LiveCount = liveCount,
        CountedTimeMs = countedTimeMs,
        CleanedTimeMs = cleanedTimeMs,
        HashSeed = incarnation.HashSeed,
        LeaseClock = incarnation.LeaseClock,
        Terms = incarnation.Terms.UpTo(position.Index),
        Outcomes = incarnation.Outcomes.UpTo(position.Index, EngineOptions.OutcomesKept),
        Snapshot = _snapshots.UpToLocked(position.Index) is { } snapshot ? (snapshot.LastIncluded.Index, snapshot.LastIncluded.Term, snapshot.Checksum.ToArray()) : null,
    };

    private void FailCompactions()
    {
        while (TakeCompaction() is { } compaction)
            compaction.TrySetException(_state.Fault is { } fault ? new EngineFaultedException(fault) : new ObjectDisposedException(nameof(LsmStateMachine)));
    }

    /// <summary>Holds an applier back while too many memtables wait for their flush; counted and timed.</summary>
    private void Throttle()
    {
        _versions.TakeTurn();
        if (_versions.Current.Memtables.Length > 2) HoldBack();
    }

    private void HoldBack()
    {
        var start = Stopwatch.GetTimestamp();
        var waiting = _versions.Current.Memtables.Length - 1;
        var sealedMax = _budget.SealedMax;
        if (waiting > sealedMax)
        {
            _counters.AddFlushStall();
            _background?.Wake();
            _jobs.WaitForRoom(sealedMax, () => _state.HasEnded);
        }
        else if (_background is { IsStepped: false } && _jobs.Pacer.PauseBefore(waiting, sealedMax, _wal.BytesAppended) is { Ticks: > 0 } pause)
        {
            _counters.AddPause();
            _jobs.WaitForProgress(pause);
        }
        else
        {
            return;
        }

        _counters.AddStallTime(Stopwatch.GetElapsedTime(start));
    }

    private void WaitDurable(LogOffset end)
    {
        if (end != default) _syncer.Wait(end);
    }

    /// <summary>
    /// Makes the log durable, and then says so in the log: after the closing note damage to any record before it is known as such,
    /// and the note itself is nobody's data.
    /// </summary>
    private void SyncBeforeClose()
    {
        if (_options.ReadOnly || _state.Fault is not null) return;
        try
        {
            _syncer.SyncAll();
            if (LeaveSparseSegment()) _syncer.SyncAll();
            bool isVouchedFor;
            using (_versions.EnterGate()) isVouchedFor = _wal.TryVouch();
            if (isVouchedFor) _syncer.SyncAll();
        }
        catch (IOException)
        {
            // Latched and logged; what was acknowledged under Process is in the page cache and survives this process.
        }
    }
}
