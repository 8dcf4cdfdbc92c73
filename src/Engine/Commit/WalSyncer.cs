using Varve.Background;
using Varve.Epochs;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// Makes the log durable: for whoever waits for it, and at the interval if there is one; prepares the next memtable
/// meanwhile. One sync at a time; it covers everything appended before it began, so those who wait together are served
/// together. The first failure is final: the pages may have been dropped, and a second try would succeed without
/// writing them (docs/DURABILITY.md).
/// </summary>
internal sealed class WalSyncer : IDisposable
{
    private readonly RankedLock _syncing = new(LockOrder.Sync);
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

    /// <summary>The last entry known to be durable; under the gate.</summary>
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

    /// <summary>Begins its work.</summary>
    public void Start()
    {
        _thread?.Start();
        if (_thread is { IsStepped: false } && _engine.Options.Durability == Durability.Interval)
            _timer = _engine.Options.TimeProvider.CreateTimer(
                static syncer => ((WalSyncer)syncer!).Wake(), this, _engine.Options.SyncInterval,
                _engine.Options.SyncInterval);
    }

    /// <summary>Says that there is something to do: a memtable to prepare.</summary>
    public void Wake() => _thread?.Wake();

    /// <summary>Waits on this thread until the log is durable up to an offset.</summary>
    public void Wait(LogOffset end)
    {
        using (_syncing.Enter())
        {
            if (!(end > _wal.Synced)) return;
            RunSyncHeld();
        }
    }

    /// <summary>Completes when the log is durable up to an offset.</summary>
    public Task WaitAsync(LogOffset end)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Serve(end, done);
        return done.Task;
    }

    /// <summary>
    /// Completes a task for a thread that lets others go first: this one does not, and threads that the pool starts for
    /// what follows take after the one that completes.
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
        else ServeWaiters(); // there is no thread, or it is gone
    }

    /// <summary>Makes everything appended so far durable.</summary>
    public void SyncAll()
    {
        using (_syncing.Enter()) RunSyncHeld();
    }

    /// <summary>
    /// Recycles a segment that the log has dropped. A sync that is under way may still have the segment, so that sync
    /// ends first; later ones do not know it.
    /// </summary>
    public void Recycle(WalSegment segment)
    {
        using (_syncing.Enter())
        {
            // The sync that was under way has ended.
        }

        _supply.Segments.Recycle(segment);
    }

    /// <summary>Notes that everything up to an entry is durable in tables; under the gate.</summary>
    public void NoteDurableGateHeld(LogId id)
    {
        LockOrder.Gate.AssertHeld();
        if (id.Index > _durable.Index) _durable = id;
    }

    /// <summary>Notes that another state was installed, durably; under the gate.</summary>
    public void RestartGateHeld(LogId id)
    {
        LockOrder.Gate.AssertHeld();
        _durable = id;
    }

    /// <summary>Lets go of the user's timer, before the close holds any lock.</summary>
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
        _supply.Ready.Prepare();
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
            catch (IOException e)
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

        try
        {
            WalWriter.SyncCaptured(ticket);
        }
#pragma warning disable CA1031 // Whatever kept the sync from succeeding, nothing can be promised any more.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _engine.State.Fail(e);
            throw new EngineFaultedException(e);
        }

        using (_versions.EnterGate())
        {
            _engine.Counters.Syncs++;
            if (ticket.Restarts != _wal.Restarts) return; // the log was dropped for another state meanwhile
            _wal.Complete(ticket);
            NoteDurableGateHeld(ticket.Position.Id);
            _publisher.SyncedGateHeld(ticket.Position);
        }
    }
}
