using Varve.Background;
using Varve.Diagnostics;
using Varve.Epochs;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// Syncs the log: for callers that wait for it, and at the interval if there is one. Its thread also prepares the next
/// memtables. There is one sync at a time, and it covers everything appended before it began, so callers that wait
/// together share it. The first failure is final: the kernel may have dropped the pages, and a second sync would
/// succeed without writing them (docs/DURABILITY.md).
/// </summary>
internal sealed class WalSyncer : IDisposable
{
    private readonly RankedLock _waitersLock = new(LockOrder.SyncWaiters);
    private readonly List<(LogOffset? End, TaskCompletionSource Done)> _waiters = [];
    private readonly EngineContext _engine;
    private readonly VersionSet _versions;
    private readonly WalWriter _wal;
    private readonly MemtableSupply _supply;
    private readonly Publisher _publisher;
    private readonly List<WalSegment> _segments = [];
    private readonly BackgroundWorker? _thread;
    private ITimer? _timer;
    private LogId _durable;
    private bool _disposed;

    public WalSyncer(
        EngineContext engine,
        EngineSeams seams,
        VersionSet versions,
        WalWriter wal,
        MemtableSupply supply,
        Publisher publisher,
        LogId durable)
    {
        _engine = engine;
        _versions = versions;
        _wal = wal;
        _supply = supply;
        _publisher = publisher;
        _durable = durable;
        if (engine.Options.ReadOnly) return;
        _thread = new BackgroundWorker(
            "Varve sync", seams, new WakeSignal(), Round, Fail, () => Timeout.InfiniteTimeSpan);
    }

    /// <summary>The last entry known to be durable. Used under the gate.</summary>
    public LogId DurableGateHeld
    {
        get
        {
            LockOrder.Gate.AssertHeld();
            return _durable;
        }
    }

    /// <summary>The last entry known to be durable.</summary>
    public LogId Durable
    {
        get
        {
            using (_versions.EnterGate()) return _durable;
        }
    }

    /// <summary>Starts the thread, and the user's timer if there is an interval.</summary>
    public void Start()
    {
        _thread?.Start();
        if (_thread is { IsStepped: false } && _engine.Options.Durability == Durability.Interval)
            _timer = _engine.Options.TimeProvider.CreateTimer(
                static syncer => ((WalSyncer)syncer!).Wake(), this, _engine.Options.SyncInterval,
                _engine.Options.SyncInterval);
    }

    /// <summary>Wakes the thread, which prepares memtables.</summary>
    public void Wake() => _thread?.Wake();

    /// <summary>Returns once the log is durable up to an offset; syncs on this thread if necessary.</summary>
    public void Wait(LogOffset end)
    {
        using (_supply.Segments.Syncing.Enter())
        {
            if (!(end > _wal.Synced)) return;
            RunSyncHeld();
        }
    }

    /// <summary>The task completes once the log is durable up to an offset.</summary>
    public Task WaitAsync(LogOffset end)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Serve(end, done);
        return done.Task;
    }

    /// <summary>
    /// Completes a task on the sync thread: a pool thread that starts for the continuation inherits the nice value of
    /// the thread that completes it, and the background has a low priority.
    /// </summary>
    public void Complete(TaskCompletionSource done) => Serve(null, done);

    private void Serve(LogOffset? end, TaskCompletionSource done)
    {
        bool isServed;
        using (_waitersLock.Enter())
        {
            _waiters.Add((end, done));
            isServed = !_disposed;
        }

        if (isServed && _engine.State.Fault is null && !_thread!.IsStepped) _thread.Wake();
        else ServeWaiters(); // the thread does not exist, or has ended
    }

    /// <summary>Makes everything appended so far durable.</summary>
    public void SyncAll()
    {
        using (_supply.Segments.Syncing.Enter()) RunSyncHeld();
    }

    /// <summary>Records that everything up to an entry is durable in tables. Called under the gate.</summary>
    public void NoteDurableGateHeld(LogId id)
    {
        LockOrder.Gate.AssertHeld();
        if (id.Index > _durable.Index) _durable = id;
    }

    /// <summary>Records that another state, durable up to an entry, is current. Called under the gate.</summary>
    public void RestartGateHeld(LogId id)
    {
        LockOrder.Gate.AssertHeld();
        _durable = id;
    }

    /// <summary>Disposes the user's timer, before the close takes a lock.</summary>
    public void EndInterval() => UserTimer.Dispose(_timer);

    public void Dispose()
    {
        _thread?.Dispose();
        using (_waitersLock.Enter()) _disposed = true;
        ServeWaiters();
    }

    private void Round()
    {
        if (_engine.Options.Durability == Durability.Interval) SyncAll();
        ServeWaiters();
        _supply.Prepare();
    }

    private void ServeWaiters()
    {
        List<(LogOffset? End, TaskCompletionSource Done)> waiters;
        using (_waitersLock.Enter())
        {
            if (_waiters.Count == 0) return;
            waiters = [.. _waiters];
            _waiters.Clear();
        }

        foreach (var (end, done) in waiters)
        {
            try
            {
                if (end is { } offset) Wait(offset);
                done.SetResult();
            }
#pragma warning disable CA1031 // Whatever it is, the waiter gets it, and the next waiter has its turn.
            catch (Exception e)
#pragma warning restore CA1031
            {
                done.SetException(e);
            }
        }
    }

    private void Fail(Exception failure)
    {
        _engine.State.Fail(failure);
        ServeWaiters();
    }

    private void RunSyncHeld()
    {
        LockOrder.Sync.AssertHeld();
        if (_engine.State.Fault is { } fault) throw new EngineFaultedException(fault);
        SyncTicket ticket;
        using (_versions.EnterGate())
        {
            ticket = _wal.Capture(_segments);
            if (ticket.End.CompareTo(_wal.Synced) == 0) return;
        }

        var start = _engine.Telemetry.Now();
        try
        {
            WalWriter.SyncCaptured(ticket);
        }
#pragma warning disable CA1031 // After any failed sync the engine can promise nothing (I3).
        catch (Exception e)
#pragma warning restore CA1031
        {
            _engine.Telemetry.End(Work.Sync, start, failure: e);
            _engine.State.Fail(e);
            throw new EngineFaultedException(e);
        }

        ReportSync(_engine.Telemetry.End(Work.Sync, start));
        using (_versions.EnterGate())
        {
            _engine.Counters.Syncs++;
            if (ticket.Restarts != _wal.Restarts) return; // an install or a reset dropped that log
            _wal.Complete(ticket);
            NoteDurableGateHeld(ticket.Position.Id);
            _publisher.SyncedGateHeld(ticket);
        }
    }

    private void ReportSync(TimeSpan duration)
    {
        var bound = _engine.Options.SlowSyncAfter;
        if (bound != Timeout.InfiniteTimeSpan && duration >= bound) LogSlowSync(duration.TotalSeconds);
    }

    /// <summary>Apart, since its closure is an allocation. Never throws: the sync has succeeded.</summary>
    private void LogSlowSync(double seconds)
    {
        try
        {
            _engine.Log.Post(logger => Log.SyncWasSlow(logger, seconds));
        }
        catch (OutOfMemoryException)
        {
        }
    }
}
