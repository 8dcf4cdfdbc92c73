namespace Varve.Runtime;

/// <summary>
/// Says how long views have been open, by the timestamps of the engine's <see cref="TimeProvider"/>. Opening a view
/// costs tens of nanoseconds, so where that is the system's own the coarse reading of the same clock is taken, which
/// costs a few and is a few milliseconds off.
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
