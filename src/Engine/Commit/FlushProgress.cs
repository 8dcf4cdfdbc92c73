using Varve.Background;
using Varve.Epochs;
using Varve.Memtables;
using Varve.Storage;
using Varve.Versions;

namespace Varve.Commit;

/// <summary>
/// The outcome of the background's attempts to flush, for the callers that wait for one: appliers without room, and
/// snapshots. Any thread.
/// </summary>
internal sealed class FlushProgress(VersionSet versions)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);
    private readonly RankedMonitor _lock = new(LockOrder.FlushProgress);
    private IOException? _blockedBy;
    private long _rounds;
    private long _failedRound;

    /// <summary>The worker that flushes; null in a read-only engine. Set once, before any caller waits.</summary>
    public BackgroundWorker? Worker { get; set; }

    /// <summary>True when the last attempt met a full disk, or want of descriptors.</summary>
    public bool IsBlocked => Volatile.Read(ref _blockedBy) is not null;

    /// <summary>Runs an attempt to flush and to compact, and remembers whether it met a shortage.</summary>
    /// <param name="work">The attempt.</param>
    /// <param name="shortage">Gives back what can be given back at a shortage, before the waiters hear of it.</param>
    /// <param name="after">Runs in any case, before the waiters look again.</param>
    public void Attempt(Action work, Action shortage, Action after)
    {
        using (_lock.Enter()) _rounds++;
        try
        {
            work();
            Volatile.Write(ref _blockedBy, null);
        }
        catch (IOException e) when (Shortage.IsMet(e))
        {
            shortage();
            using (_lock.Enter())
            {
                Volatile.Write(ref _blockedBy, e);
                _failedRound = _rounds;
            }

            throw;
        }
        finally
        {
            after();
            WakeWaiters();
        }
    }

    /// <summary>
    /// Waits until at most <paramref name="sealedMax"/> memtables wait for their flush, or there is no point in
    /// waiting.
    /// </summary>
    public void WaitForRoom(int sealedMax, Func<bool> isOver) =>
        WaitFor(current => current.Memtables.Length - 1 <= sealedMax, isOver);

    /// <summary>Waits until a sealed memtable is flushed, or there is no point in waiting.</summary>
    public void WaitForFlush(Memtable memtable, Func<bool> isOver) =>
        WaitFor(current => !current.Memtables.Contains(memtable), isOver);

    /// <summary>Waits for a little while, less if a flush ends before.</summary>
    public void WaitForAny(TimeSpan most)
    {
        using (_lock.Enter()) _lock.Wait(most);
    }

    /// <summary>Wakes the waiting callers, which check again.</summary>
    public void WakeWaiters()
    {
        using (_lock.Enter()) _lock.PulseAll();
    }

    private void WaitFor(Func<DbVersion, bool> isReached, Func<bool> isOver)
    {
        long round;
        using (_lock.Enter()) round = _rounds;
        while (true)
        {
            using (_lock.Enter())
            {
                if (isReached(versions.Current) || isOver()) return;
                // Only an attempt begun since says that there is still a shortage.
                if (_failedRound > round && Volatile.Read(ref _blockedBy) is { } shortage)
                    throw Shortage.Again(shortage);
                if (Worker is not { IsStepped: true })
                {
                    _lock.Wait(LookAgain);
                    continue;
                }
            }

            // In a simulation this thread runs the round, and the round takes every lock: it holds none.
            if (!Worker.Step(always: true)) WaitForAny(LookAgain);
        }
    }
}
