using System.Diagnostics;

namespace Varve.Cli.Bench;

/// <summary>The durations of the calls of one workload, all of them, so percentiles are exact. One thread.</summary>
internal sealed class Latencies(int capacity)
{
    private readonly long[] _ticks = new long[capacity];
    private bool _isSorted = true;

    public int Count { get; private set; }

    public void Add(long ticks)
    {
        _ticks[Count++] = ticks;
        _isSorted = false;
    }

    /// <summary>
    /// The least duration that the share of all calls does not exceed, in microseconds; 0 of no call.
    /// </summary>
    /// <param name="share">0 to 1.</param>
    public double Percentile(double share)
    {
        if (Count == 0) return 0;
        if (!_isSorted) Array.Sort(_ticks, 0, Count);
        _isSorted = true;
        var rank = Math.Clamp((int)Math.Ceiling(share * Count), 1, Count);
        return _ticks[rank - 1] * 1e6 / Stopwatch.Frequency;
    }
}
