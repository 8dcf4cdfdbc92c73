using System.Diagnostics;
using System.Runtime.CompilerServices;
using Varve.Background;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// Holds an applier back while too many memtables wait for their flush; counted and timed. Any thread, before the gate.
/// </summary>
internal sealed class WriteThrottle(
    EngineContext engine, EngineSeams seams, VersionSet versions, MemoryBudget budget, WalWriter wal,
    FlushProgress progress, Pacer pacer)
{
    private readonly bool _isStepped = seams.Scheduler is not null;

    /// <summary>
    /// Lets a thread that waits for the gate enter first, then waits for flushes if too many are due.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WaitForTurn()
    {
        versions.TakeTurn();
        if (versions.Current.Memtables.Length > 2) HoldBack();
    }

    private void HoldBack()
    {
        var start = Stopwatch.GetTimestamp();
        var waiting = versions.Current.Memtables.Length - 1;
        var sealedMax = budget.SealedMax;
        if (waiting > sealedMax)
        {
            engine.Counters.AddFlushStall();
            engine.BackgroundWake.Set();
            progress.WaitForRoom(sealedMax, () => engine.State.HasEnded);
        }
        else if (!_isStepped && pacer.PauseBefore(waiting, sealedMax, wal.BytesAppended) is { Ticks: > 0 } pause)
        {
            engine.Counters.AddPause();
            progress.WaitForAny(pause);
        }
        else
        {
            return;
        }

        engine.Counters.AddStallTime(Stopwatch.GetElapsedTime(start));
    }
}
