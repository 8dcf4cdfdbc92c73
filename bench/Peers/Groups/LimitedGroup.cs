using System.Diagnostics;
using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>
/// Data larger than memory: the database is made without a limit and taken out of the page cache; then a child of the
/// child, in a memory cgroup of a quarter of the data, reads at random. Beside it a thread collects garbage all the
/// time: a page fault in managed code would hold it up, and with it everyone.
/// </summary>
internal static class LimitedGroup
{
    private const string ReadPart = "read";
    private const string OtherReadPart = "read-other";
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(10);
    private const long CapBytesMin = 256 << 20;   // the runtime must live in it too

    public static void Run(RunContext context)
    {
        var source = EntrySource.Random(context.Entries, valueBytes: 1_008);
        var cap = Math.Max((long)source.UserBytes / 4, CapBytesMin);
        var path = Path.Combine(context.Arguments.Data, "limited");
        if (context.Arguments.ChildPart is { } part)
        {
            Read(context, source, path, cap / 3, part == OtherReadPart);
            return;
        }

        using var limit = MemoryCap.Create(cap);
        Directory.CreateDirectory(path);
        string? other;
        using (var engine = context.Open(EngineSettings.Usual, path))
        {
            other = engine.OtherAccess;
            Filling.Load(engine, source);
            engine.Settle();
        }

        foreach (var read in other is null ? new[] { ReadPart } : [ReadPart, OtherReadPart])
        {
            ProcessFigures.DropFromCache(path);
            var (result, failure) = ChildProcess.Run(context.Arguments.ForPart(read, context.Arguments.Data), limit);
            if (result is null) throw new IOException(failure);
            foreach (var measurement in result.Measurements)
            {
                measurement.Extra["cap_bytes"] = cap;
                context.Measurements.Add(measurement);
            }
        }
    }

    private static void Read(RunContext context, EntrySource source, string path, long cacheBytes, bool other)
    {
        WarmUp.Run(context, source, 100, WarmUp.Reads);
        var settings =
            new EngineSettings { CacheBytes = cacheBytes, Access = other ? context.Closed().OtherAccess : null };
        using var engine = context.Open(settings, path);
        using var reads = new Reads(engine.OpenReader(), source);
        var gets = (int)Math.Clamp(source.Entries / 50, 2_000, 50_000);
        ReadFor(TimeLimit / 2, ReadKeys.Present(source, gets, 2), reads, Meter.NewHistogram());
        var keys = ReadKeys.Present(source, gets, 1);
        var pauses = Meter.NewHistogram();
        var reading = true;
        var collector = new Thread(() =>
        {
            while (Volatile.Read(ref reading))
            {
                var start = Stopwatch.GetTimestamp();
                GC.Collect(0);
                pauses.Record(start, Stopwatch.GetTimestamp());
                Thread.Sleep(1);
            }
        });
        var latencies = Meter.NewHistogram();
        var read = ProcessFigures.ReadBytes;
        collector.Start();
        var measurement = Meter.Run("", () => ReadFor(TimeLimit, keys, reads, latencies));
        Volatile.Write(ref reading, false);
        collector.Join();
        measurement.AddPercentiles("get", latencies);
        measurement.AddPercentiles("collection", pauses);
        measurement.Extra["device_bytes_per_get"] = (ProcessFigures.ReadBytes - read) / (double)measurement.Operations;
        context.Add(other ? "limited-get-other" : "limited-get", measurement);
    }

    /// <summary>Reads the keys, or as many as there is time for.</summary>
    private static long ReadFor(TimeSpan limit, ReadKeys keys, Reads reads, HdrHistogram.LongHistogram latencies)
    {
        var end = Stopwatch.GetTimestamp() + (long)(limit.TotalSeconds * Stopwatch.Frequency);
        for (var i = 0; i < keys.Count; i++)
        {
            var start = Stopwatch.GetTimestamp();
            if (start > end) return i;
            reads.One(keys[i]);
            latencies.Record(start, Stopwatch.GetTimestamp());
        }

        return keys.Count;
    }
}
