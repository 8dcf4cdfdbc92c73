using System.Diagnostics;
using System.Runtime.CompilerServices;
using Varve.Background;
using Varve.Epochs;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// Throttles appliers to the rate of flushes, and stops them while too many memtables wait for one.
/// <para>
/// The problem: appliers write several times as fast as the background flushes and compacts. Memory has to be bounded,
/// so they have to wait in the end, and a wait for a whole flush is a pause of seconds that callers notice.
/// </para>
/// <list type="number">
/// <item>More than <see cref="MemoryBudget.SealedMax"/> memtables never wait for their flush: the next applier waits
/// until one is flushed, the engine ends, or the disk is full.</item>
/// <item>Before that, from half of that number on, appliers are held to 1.15 down to 0.65 times the rate of flushes, as
/// the backlog grows. So the backlog settles below the maximum, and appliers rarely stop.</item>
/// <item>The rate of flushes is that of flushes which follow one another; it contains the compactions between them. A
/// flush that takes long lowers it before it ends.</item>
/// <item>An applier pauses for one millisecond at a time. Smaller debts add up to a pause; idle time pays for one pause
/// at most.</item>
/// <item>Every wait is counted and timed (<see cref="EngineStatistics.Pauses"/>,
/// <see cref="EngineStatistics.FlushStalls"/>, <see cref="EngineStatistics.StallTime"/>).</item>
/// </list>
/// <para>
/// The obvious design has the maximum alone. Appliers then run at full speed into waits as long as a flush and the
/// compactions before it: the same mean rate, with the worst latency a thousand times as long.
/// </para>
/// <para>Threads: any applier, before it takes the gate. The thread that flushes calls <see cref="Flushed"/>.</para>
/// </summary>
internal sealed class WriteThrottle(
    EngineContext engine, EngineSeams seams, VersionSet versions, MemoryBudget budget, WalWriter wal,
    FlushProgress progress)
{
    /// <summary>Shorter waits are counted and not logged.</summary>
    public static readonly TimeSpan StallLoggedAfter = TimeSpan.FromMilliseconds(100);

    private const double Smoothing = 0.3;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    private readonly bool _isStepped = seams.Scheduler is not null;
    private readonly RankedLock _lock = new(LockOrder.FlushRate);
    private double _flushedBytesPerTick;
    private long _lastFlush;
    private long _lastFlushBytes;
    private long _bytesSeen;
    private double _dueUntil;

    /// <summary>
    /// Lets a thread that waits for the gate enter first, then waits for flushes if too many are due.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WaitForTurn()
    {
        versions.Gate.TakeTurn();
        if (versions.Current.Memtables.Length > 2) WaitForFlushes();
    }

    /// <summary>Records a flush.</summary>
    /// <param name="bytes">Bytes of the log that it flushed.</param>
    /// <param name="areMoreWaiting">True if the next flush begins at once; only then its duration is a rate.</param>
    public void Flushed(long bytes, bool areMoreWaiting)
    {
        var now = Stopwatch.GetTimestamp();
        using (_lock.Enter())
        {
            if (_lastFlush != 0 && now > _lastFlush)
            {
                var rate = bytes / (double)(now - _lastFlush);
                _flushedBytesPerTick = _flushedBytesPerTick == 0
                    ? rate
                    : _flushedBytesPerTick + (Smoothing * (rate - _flushedBytesPerTick));
            }

            _lastFlush = areMoreWaiting ? now : 0;
            _lastFlushBytes = bytes;
        }
    }

    /// <summary>Waits for the stall that the chunk's applier has met, then like <see cref="WaitForTurn()"/>.</summary>
    public void WaitForTurn(WriteStall met)
    {
        if (met != WriteStall.None) Wait(met);
        WaitForTurn();
    }

    /// <summary>The event that an apply has to wait for now. A pause is returned once: its caller waits.</summary>
    public WriteStall NextStall()
    {
        var waiting = versions.Current.Memtables.Length - 1;
        if (waiting < 2) return WriteStall.None;
        var sealedMax = budget.SealedMax;
        if (waiting > sealedMax) return WriteStall.Flush;
        return !_isStepped && IsPauseDue(waiting, sealedMax, wal.BytesAppended) ? WriteStall.Pause : WriteStall.None;
    }

    private void WaitForFlushes()
    {
        var stall = NextStall();
        if (stall != WriteStall.None) Wait(stall);
    }

    private void Wait(WriteStall stall)
    {
        var start = Stopwatch.GetTimestamp();
        if (stall == WriteStall.Flush)
        {
            engine.Counters.AddFlushStall();
            engine.BackgroundWake.Set();
            progress.WaitForRoom(budget.SealedMax, () => engine.State.HasEnded);
        }
        else
        {
            engine.Counters.AddPause();
            progress.WaitForAny(Pause);
        }

        var waited = Stopwatch.GetElapsedTime(start);
        engine.Counters.AddStallTime(waited);
        if (waited >= StallLoggedAfter) LogStall(waited, stall == WriteStall.Flush ? "flush" : "pause");
    }

    /// <summary>Apart, since its closure is an allocation.</summary>
    private void LogStall(TimeSpan waited, string reason)
    {
        var waiting = versions.Current.Memtables.Length - 1;
        engine.Log.Post(logger => Log.Stalled(logger, waited.TotalSeconds, reason, waiting));
    }

    /// <summary>True if an applier pauses; false most of the time.</summary>
    /// <param name="waiting">Memtables that wait for their flush.</param>
    /// <param name="sealedMax">How many may wait before appliers stop.</param>
    /// <param name="bytesApplied">Bytes of the log so far.</param>
    private bool IsPauseDue(int waiting, int sealedMax, long bytesApplied)
    {
        var soft = Math.Max(2, (sealedMax + 1) / 2);
        if (waiting < soft) return false;
        var now = Stopwatch.GetTimestamp();
        using (_lock.Enter())
        {
            var bytes = bytesApplied - _bytesSeen;
            _bytesSeen = bytesApplied;
            if (_flushedBytesPerTick == 0) return false;
            // The flush that is under way already takes so long that the next rate is lower.
            var rate = _lastFlush == 0
                ? _flushedBytesPerTick
                : Math.Min(_flushedBytesPerTick, _lastFlushBytes / Math.Max(1.0, now - _lastFlush));
            var pause = Pause.TotalSeconds * Stopwatch.Frequency;
            // Bytes that were applied before there was a backlog cost one pause at most.
            var cost = Math.Min(bytes / (rate * FactorFor(waiting, soft, sealedMax)), pause);
            _dueUntil = Math.Max(_dueUntil, now - pause) + cost;
            return _dueUntil - now >= pause;
        }
    }

    /// <summary>From a little faster than flushes down to well below their rate.</summary>
    private static double FactorFor(int waiting, int soft, int sealedMax) =>
        1.15 - (0.5 * (waiting - soft) / Math.Max(1, sealedMax - soft));
}
