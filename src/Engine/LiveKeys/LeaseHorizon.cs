using Varve.Epochs;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.LiveKeys;

/// <summary>
/// Which expired leases are still to be reported by a clean-up, and which a compaction may drop: those that were
/// reported, and those that are so old that no clean-up reports them
/// (<see cref="EngineOptions.ExpiredLeaseRetention"/>).
/// </summary>
internal sealed class LeaseHorizon(
    EngineContext engine, VersionSet versions, WalWriter wal, LiveKeyCounter liveKeys)
{
    private readonly bool _isLogClock = engine.Options.LeaseClock == LeaseClock.Log;

    /// <summary>Leases up to this deadline are not reported any more at a time, Unix milliseconds.</summary>
    public ulong ForgottenTime(ulong timeMs)
    {
        if (engine.Options.ExpiredLeaseRetention == Timeout.InfiniteTimeSpan) return 0;
        var retention = (ulong)engine.Options.ExpiredLeaseRetention.TotalMilliseconds;
        return timeMs > retention ? timeMs - retention : 0;
    }

    /// <summary>
    /// Whether a flush, though it writes no rows, lets a compaction drop more leases: the tables' state is behind in
    /// what was reported, or in time.
    /// </summary>
    public bool IsBehindGateHeld(DbVersion version)
    {
        LockOrder.Gate.AssertHeld();
        return HasLeases(version)
            && (version.Generation.CleanedTimeMs > version.Base.CleanedTimeMs
                || (_isLogClock && wal.Position.LogTimeMs > version.Base.LogTimeMs));
    }

    /// <summary>
    /// The time up to which expired leases may be dropped from the bottom of a version; 0: none may. On the background
    /// thread.
    /// </summary>
    public ulong DropTime(DbVersion version)
    {
        if (!HasLeases(version)) return 0;
        // As of the base: cuts at it or after it are still to be exact, in what they show and in what their clean-up
        // reports.
        var now = _isLogClock ? version.Base.LogTimeMs : engine.Clock.SeenLocal;
        var time = Math.Max(version.Base.CleanedTimeMs, ForgottenTime(now));
        var fold = versions.AcquirePoint(out var position);
        try
        {
            // Most of it, without holding appliers.
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
            // A memtable sealed by now may have been counted to its end at an earlier time, and is to be flushed as
            // such.
            if (current.Memtables.Length > 1) return Math.Min(time, current.Base.CountedTimeMs);
            return liveKeys.TryCount(current, current.Generation.Applied.Read().Index, time, out _) ? time : 0;
        }
    }

    private static bool HasLeases(DbVersion version) =>
        version.Runs.Any(run => run.Tables.Any(table => table.Descriptor.LeaseCount > 0));
}
