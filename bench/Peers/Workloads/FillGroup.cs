using System.Diagnostics;
using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>Applies of a whole data set into an empty database.</summary>
internal static class FillGroup
{
    public static void Ascending(RunContext context) => Single(context, "apply-ascending", EntrySource.AscendingKeys(context.Entries), 100);

    public static void ChunkOfOne(RunContext context) => Single(context, "apply-1", EntrySource.Random(context.Entries), 1);

    /// <summary>Applies everything and measures it; what the background still owed is in the extras of <see cref="Settle"/>.</summary>
    public static Measurement Fill(IBenchEngine engine, string workload, EntrySource source, int chunkEntries)
    {
        using var chunks = engine.Prepare(source, 0, checked((int)source.Entries), chunkEntries);
        if (chunkEntries == 1) return Meter.Run(workload, () => ApplyAll(chunks, source.Entries));

        // Two clock readings a chunk of 100 do not show in the figure.
        var latencies = Meter.NewHistogram();
        var measurement = Meter.Run(workload, () =>
        {
            for (var i = 0; i < chunks.Count; i++)
            {
                var start = Stopwatch.GetTimestamp();
                chunks.Apply(i);
                latencies.Record(start, Stopwatch.GetTimestamp());
            }

            return source.Entries;
        });
        measurement.AddPercentiles("chunk", latencies);
        return measurement;
    }

    /// <summary>Settles, and adds to the fill's measurement what the fill has cost in the end.</summary>
    public static void Settle(IBenchEngine engine, Measurement fill, EntrySource source, string path, long writtenBefore)
    {
        fill.Extra["anonymous_bytes"] = ProcessFigures.AnonymousBytes;
        var start = Stopwatch.GetTimestamp();
        engine.Settle();
        var userBytes = (double)source.Entries * (source.KeyBytes + source.ValueBytes);
        fill.Extra["settle_seconds"] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        fill.Extra["write_amplification"] = (ProcessFigures.WrittenBytes - writtenBefore) / userBytes;
        fill.Extra["disk_bytes"] = ProcessFigures.DiskBytes(path);
        fill.Extra["space_amplification"] = fill.Extra["disk_bytes"] / userBytes;
    }

    private static void Single(RunContext context, string workload, EntrySource source, int chunkEntries)
    {
        WarmUp.Run(context, source, chunkEntries, reads: false);
        var written = ProcessFigures.WrittenBytes;
        using var engine = context.Open(durable: false, out var path);
        var measurement = Fill(engine, workload, source, chunkEntries);
        context.Measurements.Add(measurement);
        Settle(engine, measurement, source, path, written);
        using var reader = engine.OpenReader();
        Reads.Verify(reader, source, 1_000);
    }

    private static long ApplyAll(PreparedChunks chunks, long entries)
    {
        for (var i = 0; i < chunks.Count; i++) chunks.Apply(i);
        return entries;
    }
}
