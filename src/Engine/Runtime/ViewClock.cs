namespace Varve.Runtime;

/// <summary>
/// Measures the age of views by timestamps of the engine's <see cref="TimeProvider"/>. Opening a view takes tens of
/// nanoseconds. So for the system's provider this reads the coarse form of the same clock, which takes a few and is a
/// few milliseconds off.
/// </summary>
internal sealed class ViewClock(TimeProvider provider)
{
    private readonly bool _isSystem = provider == TimeProvider.System;

    /// <summary>Now, in units of its own.</summary>
    public long Now() => _isSystem ? Environment.TickCount64 : provider.GetTimestamp();

    /// <summary>The time since a reading of <see cref="Now"/>.</summary>
    public TimeSpan Since(long then) =>
        _isSystem ? TimeSpan.FromMilliseconds(Environment.TickCount64 - then) : provider.GetElapsedTime(then);
}
