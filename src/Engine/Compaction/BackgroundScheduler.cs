using Varve.Background;
using Varve.Commit;
using Varve.Contract;
using Varve.Epochs;
using Varve.LiveKeys;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Storage;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Compaction;

/// <summary>
/// The background thread: flushes and compactions, what is worth it when nothing is applied, compactions that were
/// asked for. It is woken for each of them, and by the end of a view.
/// </summary>
internal sealed class BackgroundScheduler : IDisposable
{
    /// <summary>
    /// A segment up to this length may stay on the disk with little in it: what a closed database of one key may take.
    /// </summary>
    private const long SparseLengthMin = 1 << 20;

    private readonly EngineContext _engine;
    private readonly VersionSet _versions;
    private readonly CompactionScheduler _jobs;
    private readonly FlushProgress _progress;
    private readonly FlushCompletion _completion;
    private readonly MemtableSupply _supply;
    private readonly MemtableRotation _rotation;
    private readonly LeaseHorizon _horizon;
    private readonly WalSyncer _syncer;
    private readonly BackgroundWorker _worker;
    private readonly IdleDetector _idle;
    private readonly RankedLock _requestsLock = new(LockOrder.CompactionRequests);
    private readonly Queue<TaskCompletionSource> _requests = new();

    public BackgroundScheduler(
        EngineContext engine,
        EngineSeams seams,
        VersionSet versions,
        WalWriter wal,
        CompactionScheduler jobs,
        FlushProgress progress,
        FlushCompletion completion,
        MemtableSupply supply,
        MemtableRotation rotation,
        LeaseHorizon horizon,
        WalSyncer syncer)
    {
        _engine = engine;
        _versions = versions;
        _jobs = jobs;
        _progress = progress;
        _completion = completion;
        _supply = supply;
        _rotation = rotation;
        _horizon = horizon;
        _syncer = syncer;
        _idle = new IdleDetector(engine.Options, seams, () => wal.BytesAppended, WakeWhenIdle);
        _worker = new BackgroundWorker(
            "Varve tables", seams, engine.BackgroundWake, Round, engine.State.Fail, Interval,
            isDeferrable: true);
        progress.Worker = _worker;
    }

    /// <summary>Begins its work.</summary>
    public void Start()
    {
        _worker.Start();
        _idle.Start();
        _worker.Wake();
    }

    /// <summary>Disposes the user's timer, before the close holds any lock.</summary>
    public void EndIdleWatch() => _idle.Dispose();

    public void Dispose() => _worker.Dispose();

    /// <inheritdoc cref="LsmStateMachine.CompactAsync"/>
    public Task CompactAsync(CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _engine.Clock.ReadLocalIfUsed(); // the background goes by what was seen
        using (_versions.EnterGate())
        {
            _engine.State.EnsureMutable();
            try
            {
                var current = _versions.Current;
                if (current.Memtables[0].Index.KeyCount > 0 || _horizon.IsBehindGateHeld(current))
                    _rotation.RotateGateHeld(0, filled: null);
            }
            catch (IOException shortage) when (Shortage.IsMet(shortage))
            {
                return Task.FromException(shortage);
            }

            using (_requestsLock.Enter()) _requests.Enqueue(done);
        }

        if (_engine.State.Fault is not null) FailRequests(); // latched meanwhile: nobody else may come for it
        _worker.Wake();
        return done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Fails the compactions that were asked for and that nobody will do: a failure was latched, or the engine is
    /// closed. Any thread.
    /// </summary>
    public void FailRequests()
    {
        while (DequeueRequest() is { } request)
            request.TrySetException(
                _engine.State.Fault is { } fault ? new EngineFaultedException(fault) : EngineClosed.Exception());
    }

    /// <summary>
    /// For how long the thread waits for a wake. The end of a view wakes it; that of a pin, which lasts for a call,
    /// does not.
    /// </summary>
    public TimeSpan Interval() =>
        _versions.Reclaimer.Pending > 0 ? TimeSpan.FromMilliseconds(50)
        : _progress.IsBlocked ? TimeSpan.FromMilliseconds(500) : Timeout.InfiniteTimeSpan;

    private void Round()
    {
        int asked;
        using (_requestsLock.Enter()) asked = _requests.Count;
        try
        {
            while (true)
            {
                _jobs.Round(IsAsked);
                if (_idle.TryTake())
                {
                    _jobs.Settle();
                    ReleaseIdle(isIdle: true);
                }

                if (DequeueRequest() is not { } request) return;
                asked--;
                CarryOut(request);
            }
        }
        catch (IOException shortage) when (Shortage.IsMet(shortage))
        {
            // Requests made before this round fail with the shortage. A later one has woken the thread for an attempt
            // of its own.
            for (; asked > 0 && DequeueRequest() is { } request; asked--)
                request.TrySetException(Shortage.Again(shortage));
            throw;
        }
    }

    /// <summary>On a thread of the user's timer: the background goes by the time that is seen here.</summary>
    private void WakeWhenIdle()
    {
        try
        {
            _engine.Clock.ReadLocalIfUsed();
        }
        catch (InvalidOperationException)
        {
            // Then by the time that was seen before: what has expired since is dropped by a later compaction.
        }

        _worker.Wake();
    }

    private void CarryOut(TaskCompletionSource request)
    {
        try
        {
            _jobs.CompactEverything();
            if (_engine.Options.IdleAfter != Timeout.InfiniteTimeSpan) ReleaseIdle(isIdle: false);
            _syncer.Complete(request);
        }
        catch (Exception e)
        {
            request.SetException(Shortage.IsMet(e) ? e : new EngineFaultedException(e));
            throw;
        }
    }

    /// <summary>Gives back what is kept for speed alone and for a past that is too far behind by now.</summary>
    private void ReleaseIdle(bool isIdle)
    {
        _completion.TrimHistory();
        if (isIdle || _versions.Current.Memtables[0].Index.KeyCount == 0)
        {
            // Else appliers go on meanwhile, and need what is ready.
            _supply.Ready.LetGo();
            RotateToSmallSegment();
            _syncer.Wake();
        }

        _versions.Reclaimer.Collect();
        _supply.ReleaseIdle();
    }

    /// <summary>
    /// Goes on in a small segment where the current one is large and nothing is in it that a table would not have.
    /// </summary>
    private void RotateToSmallSegment()
    {
        if (!IsLarge(_versions.Current)) return;
        _supply.Ready.PrepareNext();
        using (_versions.EnterGate())
        {
            if (!_supply.Ready.IsReady || !IsLarge(_versions.Current) || _engine.State.IsStopping) return;
            _rotation.RotateGateHeld(0, filled: null);
        }

        _jobs.FlushSealed();

        bool IsLarge(DbVersion current) =>
            current.Memtables is [{ Index.KeyCount: 0 } memtable]
            && memtable.Segment.Length > _supply.Segments.RestingLength
            && current.Base.LastIndex == current.Generation.Applied.Read().Index;
    }

    /// <summary>
    /// At a close: flushes a memtable that leaves nearly all of a large segment unused, and ends the log in a small
    /// one; says whether it did. Best effort: where there is no room for the table, the segment stays. Nobody applies
    /// any more, and the background has ended.
    /// </summary>
    public bool TryLeaveSparseSegment()
    {
        if (_versions.Current.Memtables is not [{ Segment: var segment }] || segment.Length <= SparseLengthMin
            || segment.End > segment.Length / SegmentPool.Growth) return false;
        _engine.State.FlushesAtClose = true;
        try
        {
            _supply.Ready.LetGo();
            using (_versions.EnterGate()) _rotation.RotateGateHeld(0, filled: null);
            _jobs.FlushSealed();
            return true;
        }
        catch (Exception e) when (Shortage.IsMet(e) || e is OutOfMemoryException)
        {
            return false; // the log has everything
        }
        finally
        {
            _engine.State.FlushesAtClose = false;
        }
    }

    private bool IsAsked()
    {
        using (_requestsLock.Enter()) return _requests.Count > 0;
    }

    private TaskCompletionSource? DequeueRequest()
    {
        using (_requestsLock.Enter()) return _requests.TryDequeue(out var next) ? next : null;
    }
}
