using System.Diagnostics;

namespace Varve.Tests.Crash.Children;

/// <summary>Waits for a random time, which decides the instant of the fault.</summary>
internal static class Pause
{
    private const int ScalesOfTwo = 6;

    public static void Random(Random random, double millisecondsMax)
    {
        // Short ones more often: what takes a runtime that starts 60 ms takes a native child 3.
        var milliseconds = random.NextDouble() * millisecondsMax / (1 << random.Next(ScalesOfTwo));
        var start = Stopwatch.GetTimestamp();
        using var never = new ManualResetEventSlim();
        if (milliseconds > 1) never.Wait(TimeSpan.FromMilliseconds(milliseconds));
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < milliseconds) Thread.SpinWait(20);
    }
}
