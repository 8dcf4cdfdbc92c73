using System.Diagnostics;

namespace Varve.Tests.Crash.Children;

/// <summary>Lets a random time pass: which instant a fault meets is the point.</summary>
internal static class Pause
{
    public static void Random(Random random, double millisecondsMax)
    {
        var milliseconds = random.NextDouble() * millisecondsMax;
        var start = Stopwatch.GetTimestamp();
        using var never = new ManualResetEventSlim();
        if (milliseconds > 1) never.Wait(TimeSpan.FromMilliseconds(milliseconds));
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < milliseconds) Thread.SpinWait(20);
    }
}
