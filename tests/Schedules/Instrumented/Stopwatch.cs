using Varve.Tests.Schedules.Control;
using Real = System.Diagnostics.Stopwatch;

namespace Varve.Tests.Schedules.Instrumented;

/// <summary>
/// Stands for <c>System.Diagnostics.Stopwatch</c>: under control no time passes, so that no step depends on the speed
/// of the machine.
/// </summary>
internal static class Stopwatch
{
    public static long Frequency => Real.Frequency;

    public static long GetTimestamp() => Controlled.Current is null ? Real.GetTimestamp() : 1;

    public static TimeSpan GetElapsedTime(long start) =>
        Controlled.Current is null ? Real.GetElapsedTime(start) : TimeSpan.Zero;
}
