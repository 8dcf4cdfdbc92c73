using Varve.Background;
using Varve.Epochs;
using Varve.Memtables;
using Varve.Storage;
using Varve.Versions;

namespace Varve.Commit;

/// <summary>
/// The outcomes of the background's attempts to flush, for callers that wait for a flush: appliers without room, and
/// snapshots. Any thread.
/// </summary>
internal sealed class FlushProgress(VersionSet versions)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);
    private readonly RankedMonitor _lock = new(LockOrder.FlushProgress);
    private IOException? _blockedBy;
    private long _rounds;
    private long _failedRound;

    /// <summary>The worker that flushes; null in a read-only engine. Set once, before a caller waits.</summary>
    public BackgroundWorker? Worker { get; set; }

    /// <summary>True if the last attempt met a shortage: a full disk, or no file descriptor.</summary>
    public bool IsBlocked => Volatile.Read(ref _blockedBy) is not null;

    /// <summary>Records that an attempt to flush and to compact begins.</summary>
    public void Begin()
    {
        using (_lock.Enter()) _rounds++;
    }

    /// <summary>Records that the attempt did all that was due.</summary>
    public void RecordSuccess() => Volatile.Write(ref _blockedBy, null);

    /// <summary>
    /// Records that the attempt met a shortage. Callers that began to wait before the attempt get it as an exception.
    /// </summary>
    public void RecordShortage(IOException shortage)
    {
        using (_lock.Enter())
        {
            Volatile.Write(ref _blockedBy, shortage);
            _failedRound = _rounds;
        }
    }

    /// <summary>
    /// Waits until at most <paramref name="sealedMax"/> memtables wait for their flush, or <paramref name="isOver"/>.
    /// </summary>
    public void WaitForRoom(int sealedMax, Func<bool> isOver) =>
        WaitFor(current => current.Memtables.Length - 1 <= sealedMax, isOver);

    /// <summary>Waits until a sealed memtable is flushed, or <paramref name="isOver"/>.</summary>
    public void WaitForFlush(Memtable memtable, Func<bool> isOver) =>
        WaitFor(current => !current.Memtables.Contains(memtable), isOver);

    /// <summary>Waits until an attempt ends, at most for the time given.</summary>
    public void WaitForAny(TimeSpan most)
    {
        using (_lock.Enter()) _lock.Wait(most);
    }

    /// <summary>Wakes the waiting callers; each checks again.</summary>
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
                // Only an attempt that began after this wait proves that the shortage lasts.
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
