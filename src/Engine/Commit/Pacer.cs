using System.Diagnostics;

namespace Varve.Commit;

/// <summary>
/// Slows appliers down before they would have to stop. While memtables wait for their flush, the time from one flush to
/// the next says how fast the background takes in what is applied, compactions included; appliers are held to about
/// that, the closer to it and below the more memtables wait, by a millisecond at a time. Without it they would run at
/// full speed into a wait as long as a flush.
/// </summary>
internal sealed class Pacer
{
    private const double Smoothing = 0.3;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);
    private readonly Lock _lock = new();
    private double _bytesPerTick;
    private long _lastFlush;
    private long _lastBytes;
    private long _seen;
    private double _due;

    /// <summary>Notes a flush, and whether the next one begins at once: only then its time says anything.</summary>
    public void Flushed(long bytes, bool areMoreWaiting)
    {
        var now = Stopwatch.GetTimestamp();
        lock (_lock)
        {
            if (_lastFlush != 0 && now > _lastFlush)
            {
                var rate = bytes / (double)(now - _lastFlush);
                _bytesPerTick = _bytesPerTick == 0 ? rate : _bytesPerTick + (Smoothing * (rate - _bytesPerTick));
            }

            _lastFlush = areMoreWaiting ? now : 0;
            _lastBytes = bytes;
        }
    }

    /// <summary>How long an applier is to wait now; zero most of the time.</summary>
    /// <param name="sealedCount">Memtables that wait for their flush.</param>
    /// <param name="sealedMax">How many may wait before appliers do.</param>
    /// <param name="bytesApplied">Bytes of the log so far.</param>
    public TimeSpan PauseBefore(int sealedCount, int sealedMax, long bytesApplied)
    {
        var soft = Math.Max(2, (sealedMax + 1) / 2);
        if (sealedCount < soft) return TimeSpan.Zero;
        var now = Stopwatch.GetTimestamp();
        lock (_lock)
        {
            var bytes = bytesApplied - _seen;
            _seen = bytesApplied;
            if (_bytesPerTick == 0) return TimeSpan.Zero;
            // A flush that is long in coming says already that the next rate is lower.
            var rate =
                _lastFlush == 0 ? _bytesPerTick : Math.Min(_bytesPerTick, _lastBytes / Math.Max(1.0, now - _lastFlush));
            var pause = Pause.TotalSeconds * Stopwatch.Frequency;
            // What was applied before there was anything to wait for is not paid for.
            var cost = Math.Min(bytes / (rate * FactorFor(sealedCount, soft, sealedMax)), pause);
            _due = Math.Max(_due, now - pause) + cost;
            return _due - now < pause ? TimeSpan.Zero : Pause;
        }
    }

    /// <summary>From a little faster than the background down to well below it.</summary>
    private static double FactorFor(int sealedCount, int soft, int sealedMax) =>
        1.15 - (0.5 * (sealedCount - soft) / Math.Max(1, sealedMax - soft));
}
