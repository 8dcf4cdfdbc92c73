using System.Diagnostics;
using Varve.Fuzz.Targets;

namespace Varve.Fuzz.Mutation;

/// <summary>Runs a target on one input under its contract: documented exceptions, time, allocation.</summary>
internal sealed class Execution(FuzzTarget target, Limits limits, Watchdog? watchdog = null)
{
    private const int SlowTries = 3;

    /// <summary>Bytes that the last run allocated on the managed heap, if it ended without an exception.</summary>
    public long Allocated { get; private set; }

    /// <summary>Runs once; returns the broken rule, or none and the feature that was reached.</summary>
    public (FindingKind Kind, string Detail)? Run(byte[] input, out ulong feature)
    {
        feature = 0;
        TimeSpan took = default;
        for (var tries = 0; tries < SlowTries; tries++)
        {
            if (RunOnce(input, ref feature, out took) is { } broken) return broken;
            if (took <= limits.Slow) return null;
        }

        return (FindingKind.Slow, $"{took.TotalMilliseconds:F0} ms");
    }

    private (FindingKind, string)? RunOnce(byte[] input, ref ulong feature, out TimeSpan took)
    {
        watchdog?.Begin(input);
        var began = Stopwatch.GetTimestamp();
        var allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            feature = target.Run(input);
        }
        catch (Exception broken)
        {
            took = Stopwatch.GetElapsedTime(began);
            return (FindingKind.Exception, broken.ToString());
        }
        finally
        {
            watchdog?.End();
        }

        Allocated = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
        took = Stopwatch.GetElapsedTime(began);
        return Allocated > target.AllocationMax
            ? (FindingKind.Allocation, $"{Allocated:N0} bytes, allowed are {target.AllocationMax:N0}")
            : null;
    }
}
