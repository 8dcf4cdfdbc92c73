using System.Diagnostics;
using System.Runtime;
using HdrHistogram;

namespace Varve.Bench.Peers;

/// <summary>Times a piece of work and counts what the calling thread allocates in it.</summary>
internal static class Meter
{
    /// <summary>The percentiles of latency curves.</summary>
    public static IReadOnlyList<double> Percentiles { get; } = [
        0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 99.999, 100];

    /// <summary>
    /// Runs <paramref name="work"/>, which gives the number of its operations. A method compiled meanwhile shows that
    /// the warm-up missed one.
    /// </summary>
    public static Measurement Run(string workload, Func<long> work)
    {
        Collect();
        var compiled = JitInfo.GetCompiledMethodCount();
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var start = Stopwatch.GetTimestamp();
        var operations = work();
        var elapsed = Stopwatch.GetElapsedTime(start);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        var measurement = new Measurement(
            workload, operations, elapsed.TotalSeconds, (double)allocated / operations, []);
        measurement.Extra["methods_compiled"] = JitInfo.GetCompiledMethodCount() - compiled;
        return measurement;
    }

    public static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    /// <summary>Nanoseconds up to a minute at two significant digits.</summary>
    public static LongHistogram NewHistogram()
    {
        var histogram = new LongHistogram(60_000_000_000, 2);
        histogram.RecordValue(1);   // what it allocates at first use must not be counted as the engine's
        histogram.Reset();
        return histogram;
    }

    public static void Record(this LongHistogram histogram, long startTimestamp, long endTimestamp) =>
        histogram.RecordValue(
            Math.Min((long)((endTimestamp - startTimestamp) * (1e9 / Stopwatch.Frequency)), 60_000_000_000));

    /// <summary>Adds the percentiles of <paramref name="histogram"/> in microseconds.</summary>
    public static void AddPercentiles(this Measurement measurement, string prefix, LongHistogram histogram)
    {
        if (histogram.TotalCount == 0) return;
        foreach (var (name, percentile) in new[] { ("p50", 50.0), ("p99", 99.0), ("p999", 99.9), ("max", 100.0) })
            measurement.Extra[$"{prefix}_{name}_us"] = histogram.GetValueAtPercentile(percentile) / 1e3;
        measurement.Series[$"{prefix}_us"] = [.. Percentiles.Select(p => histogram.GetValueAtPercentile(p) / 1e3)];
    }
}
