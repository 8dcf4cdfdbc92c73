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
/// The background thread's work: flushes and compactions, merges when idle, requested compactions, reclamation.
/// <para>
/// The problem: several events need the same thread: a memtable was sealed, nothing was applied for a while,
/// <c>CompactAsync</c> was called, a view ended. Each may come at any time, also during a merge of minutes, a shortage
/// or a close, and no request may stay without an answer.
/// </para>
/// <list type="number">
/// <item>An event wakes the thread and says no more; the round finds out what is due. So a wake can be merged with
/// another, and a superfluous one does no harm.</item>
/// <item>Order of a round: flushes and compactions, then idle work, then one request, and again from the start. While
/// requests wait, the first part ends after the step that it is in: appliers at full speed always leave something to
/// flush.</item>
/// <item>Requests are enqueued under the gate after the state was checked. The state ends under the gate too, or by a
/// failure that the caller checks for after it has enqueued. The thread that ends the state then calls
/// <see cref="FailRequests"/>. So each request is carried out or failed.</item>
/// <item>A shortage fails the requests made before the round; later ones get an attempt of their own.</item>
/// <item>The thread calls no clock of the user: it uses the time that a caller or a timer saw last.</item>
/// </list>
/// <para>
/// The obvious design is a thread or a timer for each kind of work. It lost: they would have to agree on versions and
/// on shares of the disk, and a simulation could not step them one at a time.
/// </para>
/// <para>
/// Rounds run on one thread. Any thread calls <see cref="CompactAsync"/> and <see cref="FailRequests"/>;
/// <see cref="TryFlushSparseSegment"/> is for the thread that closes the engine, after <see cref="Dispose"/>.
/// </para>
/// </summary>
internal sealed class BackgroundScheduler : IDisposable
{
    /// <summary>
    /// A close leaves a nearly empty segment up to this length; a closed database of one key takes that much.
    /// </summary>
    private const long SparseLengthMin = 1 << 20;

    private readonly EngineContext _engine;
    private readonly VersionSet _versions;
    private readonly CompactionScheduler _compactions;
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
        CompactionScheduler compactions,
        FlushProgress progress,
        FlushCompletion completion,
        MemtableSupply supply,
        MemtableRotation rotation,
        LeaseHorizon horizon,
        WalSyncer syncer)
    {
        _engine = engine;
        _versions = versions;
        _compactions = compactions;
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

    /// <summary>Starts thread and timer.</summary>
    public void Start()
    {
        _worker.Start();
        _idle.Start();
        _worker.Wake();
    }

    /// <summary>Disposes the user's timer. Called by a close before it holds a lock.</summary>
    public void EndIdleDetection() => _idle.Dispose();

    public void Dispose() => _worker.Dispose();

    /// <inheritdoc cref="LsmStateMachine.CompactAsync"/>
    public Task CompactAsync(CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _engine.Clock.ReadLocalIfUsed(); // the background uses the time seen here
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

        if (_engine.State.Fault is not null) FailRequests(); // latched meanwhile: no other call may follow
        _worker.Wake();
        return done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Fails the requested compactions, after a failure was latched or the engine was closed. Any thread.
    /// </summary>
    public void FailRequests()
    {
        while (DequeueRequest() is { } request)
            request.TrySetException(
                _engine.State.Fault is { } fault ? new EngineFaultedException(fault) : EngineClosed.Exception());
    }

    /// <summary>
    /// The longest wait for a wake. The end of a view wakes the thread; the end of a pin, which lasts for a call, does
    /// not.
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
                _compactions.Round(IsAsked);
                if (_idle.TryConsume())
                {
                    _compactions.CompactIdle();
                    ReleaseIdle(isIdle: true);
                }

                if (DequeueRequest() is not { } request) return;
                asked--;
                CarryOut(request);
            }
        }
        catch (IOException shortage) when (Shortage.IsMet(shortage))
        {
            // Requests made before this round fail with the shortage. A later request has woken the thread for another
            // attempt.
            for (; asked > 0 && DequeueRequest() is { } request; asked--)
                request.TrySetException(Shortage.Again(shortage));
            throw;
        }
    }

    /// <summary>On a thread of the user's timer, which may read the user's clock.</summary>
    private void WakeWhenIdle()
    {
        try
        {
            _engine.Clock.ReadLocalIfUsed();
        }
        catch (InvalidOperationException)
        {
            // The clock is not usable: the background uses the time seen before, and a later compaction drops leases
            // that have expired since.
        }

        _worker.Wake();
    }

    private void CarryOut(TaskCompletionSource request)
    {
        try
        {
            _compactions.CompactEverything();
            if (_engine.Options.IdleAfter != Timeout.InfiniteTimeSpan) ReleaseIdle(isIdle: false);
            _syncer.Complete(request);
        }
        catch (Exception e)
        {
            request.SetException(Shortage.IsMet(e) ? e : new EngineFaultedException(e));
            throw;
        }
    }

    /// <summary>Releases memory and files that are kept for speed alone, and old history.</summary>
    private void ReleaseIdle(bool isIdle)
    {
        _completion.DropOldHistory();
        if (isIdle || _versions.Current.Memtables[0].Index.KeyCount == 0)
        {
            // Otherwise appliers are at work and need the ready memtables.
            _supply.ReleaseReady();
            RotateToSmallSegment();
            _syncer.Wake();
        }

        _versions.Reclaimer.FreeRetired();
        _supply.ReleaseIdle();
    }

    /// <summary>
    /// Rotates a large segment without unflushed data to a small one.
    /// </summary>
    private void RotateToSmallSegment()
    {
        if (!IsLarge(_versions.Current)) return;
        _supply.PrepareOne();
        using (_versions.EnterGate())
        {
            if (!_supply.IsReady || !IsLarge(_versions.Current) || _engine.State.IsStopping) return;
            _rotation.RotateGateHeld(0, filled: null);
        }

        _compactions.FlushSealed();

        bool IsLarge(DbVersion current) =>
            current.Memtables is [{ Index.KeyCount: 0 } memtable]
            && memtable.Segment.Length > _supply.Segments.RestingLength
            && current.Base.LastIndex == current.Generation.Applied.Read().Index;
    }

    /// <summary>
    /// For a close: flushes the memtable of a large segment that is nearly empty, and ends the log in a small one.
    /// Returns false if it did not, and the segment stays: there was no need, or no room for the table, or sealed
    /// memtables wait. To flush those would make the close long, and their segments take more than this one. Appliers
    /// and the background thread have ended.
    /// </summary>
    public bool TryFlushSparseSegment()
    {
        if (_versions.Current.Memtables is not [{ Segment: var segment }] || segment.Length <= SparseLengthMin
            || segment.End > segment.Length / SegmentPool.Growth) return false;
        _engine.State.FlushesAtClose = true;
        try
        {
            _supply.ReleaseReady();
            using (_versions.EnterGate()) _rotation.RotateGateHeld(0, filled: null);
            _compactions.FlushSealed();
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
