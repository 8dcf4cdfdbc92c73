using System.Diagnostics;
using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>
/// Chunks that survive power loss. The engine and the raw device take turns in short rounds in one process, so that
/// both see the same device at the same time; medians, because a device has bad moments.
/// </summary>
internal static class DurableGroup
{
    private const int Rounds = 10;
    private const int RecordOverheadBytes = 32;

    public static void Run(RunContext context)
    {
        var source = EntrySource.Random(context.Entries);
        WarmUp.Run(context, source, 100);
        var perRound = (int)Math.Clamp(context.Entries / 10_000, 20, 200);
        if (context.Wants("durable-1")) Measure(context, "durable-1", source, 1, perRound);
        if (context.Wants("durable-100")) Measure(context, "durable-100", source, 100, perRound);
    }

    private static void Measure(RunContext context, string workload, EntrySource source, int chunkEntries, int perRound)
    {
        using var engine = context.Open(new EngineSettings { Durable = true }, out var path);
        var chunkBytes = chunkEntries * (source.KeyBytesMax + source.ValueBytes) + RecordOverheadBytes;
        using var raw = new RawDevice(path + ".raw", chunkBytes);
        var warm = Rounds * perRound / 5;
        using var chunks = engine.Prepare(source, 0, (Rounds * perRound + warm) * chunkEntries, chunkEntries);
        for (var i = 0; i < warm; i++)
        {
            chunks.Apply(i);
            raw.Write();
        }

        var latencies = Meter.NewHistogram();
        var rawLatencies = Meter.NewHistogram();
        double seconds = 0;
        double allocated = 0;
        var next = warm;
        Action apply = () => chunks.Apply(next++);
        Action write = raw.Write;
        Func<long> timed = () => Timed(latencies, perRound, apply);
        for (var round = 0; round < Rounds; round++)
        {
            var part = Meter.Run("", timed);
            seconds += part.Seconds;
            allocated += part.AllocatedBytesPerOperation;
            Timed(rawLatencies, perRound, write);
        }

        var measurement = new Measurement("", Rounds * perRound, seconds, allocated / Rounds, []);
        measurement.AddPercentiles("chunk", latencies);
        measurement.AddPercentiles("raw", rawLatencies);
        measurement.Extra["of_raw"] = measurement.Extra["chunk_p50_us"] / measurement.Extra["raw_p50_us"];
        context.Add(workload, measurement);
    }

    private static long Timed(HdrHistogram.LongHistogram histogram, int count, Action write)
    {
        for (var i = 0; i < count; i++)
        {
            var start = Stopwatch.GetTimestamp();
            write();
            histogram.Record(start, Stopwatch.GetTimestamp());
        }

        return count;
    }
}
