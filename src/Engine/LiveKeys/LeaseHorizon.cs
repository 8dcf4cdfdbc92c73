using Varve.Epochs;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.LiveKeys;

/// <summary>
/// Decides by which deadline a compaction may drop expired leases: those that a clean-up has reported, and those so old
/// that none will report them (<see cref="EngineOptions.ExpiredLeaseRetention"/>). Others stay, to be reported.
/// </summary>
internal sealed class LeaseHorizon(
    EngineContext engine, VersionSet versions, WalWriter wal, LiveKeyCounter liveKeys)
{
    private readonly bool _isLogClock = engine.Options.LeaseClock == LeaseClock.Log;

    /// <summary>The deadline up to which no clean-up at a time reports leases. Unix milliseconds.</summary>
    public ulong ForgottenTime(ulong timeMs)
    {
        if (engine.Options.ExpiredLeaseRetention == Timeout.InfiniteTimeSpan) return 0;
        var retention = (ulong)engine.Options.ExpiredLeaseRetention.TotalMilliseconds;
        return timeMs > retention ? timeMs - retention : 0;
    }

    /// <summary>
    /// True if a flush would let a compaction drop more leases, even a flush without rows: the tables' state is behind
    /// the generation in its clean-up time or its log time.
    /// </summary>
    public bool IsBehindGateHeld(DbVersion version)
    {
        LockOrder.Gate.AssertHeld();
        return HasLeases(version)
            && (version.Generation.CleanedTimeMs > version.Base.CleanedTimeMs
                || (_isLogClock && wal.Position.LogTimeMs > version.Base.LogTimeMs));
    }

    /// <summary>
    /// The time up to which a merge may drop expired leases from the bottom of a version; 0: none. On the background
    /// thread.
    /// </summary>
    public ulong DropTime(DbVersion version)
    {
        if (!HasLeases(version)) return 0;
        // By the time of the base: later cuts are to be exact, in their rows and in the reports of their clean-ups.
        var now = _isLogClock ? version.Base.LogTimeMs : engine.Clock.SeenLocal;
        var time = Math.Max(version.Base.CleanedTimeMs, ForgottenTime(now));
        var fold = versions.AcquirePoint(out var position);
        try
        {
            // Counts most of it before the gate is taken, so that appliers wait less.
            if (fold.Generation == version.Generation) liveKeys.TryCount(fold, position.Index, 0, out _);
        }
        finally
        {
            fold.Release();
        }

        using (versions.EnterGate())
        {
            var current = versions.Current;
            if (current.Generation != version.Generation) return 0; // the merge is dropped at its commit
            // A sealed memtable may have been counted to its end at an earlier time. Its flush writes that count, so
            // time must not pass the base's before.
            if (current.Memtables.Length > 1) return Math.Min(time, current.Base.CountedTimeMs);
            return liveKeys.TryCount(current, current.Generation.Applied.Read().Index, time, out _) ? time : 0;
        }
    }

    private static bool HasLeases(DbVersion version) =>
        version.Runs.Any(run => run.Tables.Any(table => table.Descriptor.LeaseCount > 0));
}
