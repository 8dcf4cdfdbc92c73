using System.Diagnostics;

namespace Varve.Diagnostics;

/// <summary>
/// The monotonic clock that work is timed with. Work begins and ends on the engine's threads and under its locks, where
/// the user's <see cref="TimeProvider"/> is not called (docs/decisions/0031-telemetry-after-the-fact.md). So it is the
/// system's, or that of a test. Any thread.
/// </summary>
internal sealed class WorkClock(TimeProvider? ofTest)
{
    /// <summary>Now, in units of its own.</summary>
    public long Now() => ofTest is null ? Stopwatch.GetTimestamp() : ofTest.GetTimestamp();

    /// <summary>The time since a reading of <see cref="Now"/>.</summary>
    public TimeSpan Since(long then) =>
        ofTest is null ? Stopwatch.GetElapsedTime(then) : ofTest.GetElapsedTime(then);
}
