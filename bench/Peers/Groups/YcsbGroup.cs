using System.Diagnostics;
using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>
/// YCSB's six core workloads, one after the other on one database, by one client. A write is a chunk of one entry.
/// </summary>
internal static class YcsbGroup
{
    private const int OperationsMax = 1_000_000;
    private const int ScanShare = 10;   // a scan is worth some fifty reads

    public static Action<RunContext> Run(int valueBytes) => context =>
    {
        var source = EntrySource.Random(context.Entries, valueBytes);
        // The warm-up uses each of its databases twice, before and after it settles, so the log continues.
        IBenchEngine? previous = null;
        long position = 0;
        WarmUp.Run(context, source, 100, (engine, small) =>
        {
            if (engine != previous) (previous, position) = (engine, small.Entries);
            position = All(engine, small, position, (int)Math.Min(small.Entries / 4, 4_000), (_, _) => { });
        });
        context.WarmPages(source);
        using var measured = context.Open(EngineSettings.Usual, out _);
        Filling.Load(measured, source);
        All(
            measured, source, source.Entries, (int)Math.Min(source.Entries, OperationsMax),
            (mix, measurement) => context.AddWrites("ycsb-" + mix.Name, measurement));
    };

    /// <summary>All workloads; gives where the log ends.</summary>
    private static long All(
        IBenchEngine engine, EntrySource source, long position, int operations, Action<YcsbMix, Measurement> add)
    {
        var zipfian = new Zipfian(source.Entries);
        var records = source.Entries;
        using var reads = new Reads(engine.OpenReader(), source);
        foreach (var mix in YcsbMix.All.Where(mix => engine.IsOrdered || mix.Scans == 0))
        {
            var plan = new YcsbPlan(
                mix, source, records, position, mix.Scans > 0 ? operations / ScanShare : operations, zipfian);
            using var chunks = engine.Prepare(plan, position, plan.Writes, 1);
            add(mix, Measure(reads, plan, chunks));
            (records, position) = (plan.Records, position + plan.Writes);
        }

        return position;
    }

    private static Measurement Measure(Reads reads, YcsbPlan plan, PreparedChunks chunks)
    {
        var reading = Meter.NewHistogram();
        var writing = Meter.NewHistogram();
        var scanning = Meter.NewHistogram();
        var measurement = Meter.Run("", () =>
        {
            ulong seen = 0;
            var write = 0;
            // One clock reading an operation: the end of one is the start of the next.
            var last = Stopwatch.GetTimestamp();
            for (var i = 0; i < plan.Operations.Length; i++)
            {
                var histogram = reading;
                switch (plan.Operations[i])
                {
                    case YcsbOperation.Read:
                        reads.One(plan.Keys[i]);
                        break;
                    case YcsbOperation.Write:
                        chunks.Apply(write++);
                        histogram = writing;
                        break;
                    case YcsbOperation.ReadModifyWrite:
                        reads.One(plan.Keys[i]);
                        chunks.Apply(write++);
                        histogram = writing;
                        break;
                    default:
                        if (reads.Reader.ScanFrom(plan.Keys[i], plan.ScanLengths[i], ref seen) == 0)
                            throw Reads.Wrong("scan");
                        histogram = scanning;
                        break;
                }

                var now = Stopwatch.GetTimestamp();
                histogram.Record(last, now);
                last = now;
            }

            return plan.Operations.Length;
        });
        measurement.AddPercentiles("read", reading);
        measurement.AddPercentiles("write", writing);
        measurement.AddPercentiles("scan", scanning);
        return measurement;
    }
}
