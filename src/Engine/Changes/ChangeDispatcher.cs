using Varve.Background;
using Varve.Epochs;
using Varve.Runtime;
using Varve.Wal;

namespace Varve.Changes;

/// <summary>
/// Decodes new changes once, for all readers that have caught up.
/// <para>
/// The problem: with a thousand readers, each publication would wake a thousand threads, of which nearly all find
/// nothing for their prefix. And an applier must not wait for any reader, nor pay for it.
/// </para>
/// <list type="number">
/// <item>One thread reads what is published, finds the readers of each key (<see cref="PrefixRoutes"/>), and wakes
/// those alone.</item>
/// <item>An applier pays one load (<see cref="ChangeSignal"/>), and one wake if the dispatcher waits. After a round
/// that found changes the dispatcher does not wait for the signal but for a millisecond, so appliers at full speed wake
/// it never.</item>
/// <item>A round claims what it will read before it reads, under the lock under which readers join. A reader that has
/// read up to the claim or further joins, and gets what is after its own place; another reads on by itself. So nothing
/// falls between its last own step and the first round that knows it, and nothing comes twice.</item>
/// <item>A reader that does not take its changes leaves, with the place of the first that did not fit. No reader makes
/// a round wait.</item>
/// <item>If a round fails, all readers leave and meet the same failure by themselves.</item>
/// </list>
/// <para>
/// The obvious design lets each reader wait for the applied index. It is what readers do here while they are behind; at
/// the head it costs a decoding and a wake a reader a publication.
/// </para>
/// <para>Threads: the dispatcher's own, started by the first reader that catches up; readers.</para>
/// </summary>
internal sealed class ChangeDispatcher : IDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(1);

    private readonly RankedLock _lock = new(LockOrder.ChangeFeed);
    private readonly HashSet<ChangeReader> _joined = [];
    private readonly EngineContext _engine;
    private readonly ChangeLog _log;
    private readonly BackgroundWorker _thread;
    private PrefixRoutes _routes = PrefixRoutes.None;
    private ChangeCursor _claimed; // the next round reads from here
    private bool _isStale;         // _routes lacks a reader, or has one that left
    private bool _hasThread;
    private bool _isDisposed;
    private volatile bool _isPaced;

    public ChangeDispatcher(EngineContext engine, EngineSeams seams, ChangeLog log)
    {
        _engine = engine;
        _log = log;
        _thread = new BackgroundWorker(
            "Varve changes", seams, new WakeSignal(), Round, engine.State.Fail,
            () => _isPaced ? Pace : Timeout.InfiniteTimeSpan);
        engine.Changes.Awaken = _thread.Wake;
    }

    /// <summary>The index up to which changes are dispatched.</summary>
    public ulong Reached
    {
        get
        {
            using (_lock.Enter()) return _claimed.Reached;
        }
    }

    /// <summary>
    /// Has a reader that has read everything published get what follows. False if it has to read on first.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public bool TryJoin(ChangeReader reader)
    {
        using (_lock.Enter())
        {
            Contract.EngineClosed.ThrowIf(_isDisposed);
            DropLeftFeedHeld();
            var cursor = reader.Cursor;
            if (_claimed.Line < cursor.Line) LeaveAllFeedHeld(); // what they wait for was replaced
            if (_joined.Count == 0) _claimed = cursor;
            else if (cursor.Line < _claimed.Line || cursor.IsBefore(_claimed)) return false;
            if (!_hasThread) _thread.Start();
            _hasThread = true;
            reader.Join();
            _joined.Add(reader);
            _isStale = true;
        }

        _thread.Wake();
        return true;
    }

    /// <summary>Forgets a reader.</summary>
    public void Remove(ChangeReader reader)
    {
        using (_lock.Enter()) _isStale |= _joined.Remove(reader);
    }

    /// <summary>Has all readers that wait look at the state of the engine.</summary>
    public void WakeReaders()
    {
        using (_lock.Enter())
            foreach (var reader in _joined) reader.Wake();
    }

    /// <summary>Ends the thread. The engine's state is closed, so that readers end too.</summary>
    public void Dispose()
    {
        using (_lock.Enter()) _isDisposed = true;
        _thread.Dispose();
        WakeReaders();
    }

    /// <summary>Dispatches what is published; then waits for the signal if there was nothing.</summary>
    private void Round()
    {
        do
        {
            if (TryDispatch()) continue;
            if (HasReaders) _engine.Changes.Arm();
            if (!TryDispatch()) // after the signal is armed: what is published from here on raises it
            {
                _isPaced = false;
                return;
            }

            _engine.Changes.Disarm();
        }
        while (_thread.IsStepped);
        _isPaced = true;
    }

    private bool HasReaders
    {
        get
        {
            using (_lock.Enter()) return _joined.Count > 0;
        }
    }

    private bool TryDispatch()
    {
        PrefixRoutes routes;
        ChangeCursor cursor;
        LogOffset end;
        using (_lock.Enter())
        {
            DropLeftFeedHeld();
            if (_joined.Count == 0) return false;
            end = _log.End;
            cursor = _claimed;
            if (!(end > cursor.At)) return false;
            _claimed = cursor with { At = end, Skip = 0 };
            if (_isStale) _routes = new PrefixRoutes(_joined);
            _isStale = false;
            routes = _routes;
        }

        Dispatch(routes, cursor, end);
        return true;
    }

    private void Dispatch(PrefixRoutes routes, ChangeCursor cursor, LogOffset end)
    {
        var delivery = new ChangeDelivery(routes);
        try
        {
            while (!_log.Step(ref cursor, from: 0, end, ref delivery))
            {
                // The next step goes on at the cursor.
            }

            using (_lock.Enter()) _claimed.Reached = Math.Max(_claimed.Reached, cursor.Reached);
        }
#pragma warning disable CA1031 // Each reader meets the failure by itself and passes it to its own consumer.
        catch (Exception)
#pragma warning restore CA1031
        {
            foreach (var reader in routes.All) reader.Leave(cursor);
        }
    }

    private void LeaveAllFeedHeld()
    {
        LockOrder.ChangeFeed.AssertHeld();
        foreach (var reader in _joined) reader.Leave(_claimed);
        DropLeftFeedHeld();
    }

    private void DropLeftFeedHeld()
    {
        LockOrder.ChangeFeed.AssertHeld();
        if (_joined.RemoveWhere(static reader => !reader.IsJoined) > 0) _isStale = true;
    }
}
