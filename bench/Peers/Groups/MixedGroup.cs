using System.Diagnostics;
using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>
/// One writer at full speed on fresh random keys, beside it one reader of keys that were there before; and the
/// checkpoint taken under writes.
/// </summary>
internal static class MixedGroup
{
    public static void WriterAndReader(RunContext context)
    {
        var source = EntrySource.Random(context.Entries);
        WarmUp.Run(context, source, 100, WarmUp.Reads);
        context.WarmPages(source);
        using var engine = context.Open(EngineSettings.Usual, out _);
        var half = checked((int)(source.Entries / 2));
        using (var first = engine.Prepare(source, 0, half, 100)) Apply(first, null, () => false);

        using var second = engine.Prepare(source, half, half, 100);
        var keys = ReadKeys.PresentBelow(source, Math.Min(half, 500_000), 1, half);
        var chunks = Meter.NewHistogram();
        double writeSeconds = 0;
        var writing = true;
        Exception? failure = null;
        using var go = new ManualResetEventSlim();
        var writer = new Thread(() =>
        {
            try
            {
                go.Wait();
                var start = Stopwatch.GetTimestamp();
                Apply(second, chunks, () => false);
                writeSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
            catch (Exception e)
            {
                failure = e;
            }

            Volatile.Write(ref writing, false);
        });

        using var reader = engine.OpenReader();
        var gets = Meter.NewHistogram();
        writer.Start();
        var measurement = Meter.Run("", () =>
        {
            go.Set();
            return ReadUntil(reader, keys, source.ValueBytes, gets, ref writing);
        });
        writer.Join();
        if (failure is not null) throw failure;
        measurement.AddPercentiles("get", gets);
        measurement.AddPercentiles("chunk", chunks);
        measurement.Extra["writes_per_second"] = half / writeSeconds;
        context.Add("mixed", measurement);
        context.AddWrites("mixed-writes", new Measurement("", half, writeSeconds, 0, []));
    }

    public static void Checkpoint(RunContext context)
    {
        var source = EntrySource.Random(context.Entries);
        WarmUp.Run(context, source, 100, (small, _) => small.Checkpoint(context.NewPath()));
        context.WarmPages(source);
        using var engine = context.Open(EngineSettings.Usual, out _);
        var before = checked((int)(source.Entries * 4 / 5));
        var after = (int)source.Entries - before;
        using (var chunks = engine.Prepare(source, 0, before, 100)) Apply(chunks, null, () => false);

        // The writer keeps applying while the checkpoint is taken; the longest chunk meanwhile is how long appliers
        // were held up.
        using var more = engine.Prepare(source, before, after, 100);
        var held = Meter.NewHistogram();
        var lead = more.Count / 20;
        var taking = true;
        var started = new ManualResetEventSlim();
        Exception? failure = null;
        var writer = new Thread(() =>
        {
            try
            {
                for (var i = 0; i < lead; i++) more.Apply(i);
                started.Set();
                Apply(more, held, () => !Volatile.Read(ref taking), lead);
            }
            catch (Exception e)
            {
                failure = e;
                started.Set();
            }
        });
        writer.Start();
        started.Wait();
        var path = context.NewPath();
        Measurement measurement;
        try
        {
            measurement = Meter.Run("", () =>
            {
                engine.Checkpoint(path);
                return 1;
            });
        }
        finally
        {
            // Also when it failed: the writer reads inputs that are freed on the way out.
            Volatile.Write(ref taking, false);
            writer.Join();
        }

        if (failure is not null) throw failure;
        if (held.TotalCount > 0) measurement.Extra["held_ms"] = held.GetValueAtPercentile(100) / 1e6;
        measurement.Extra["chunks_meanwhile"] = held.TotalCount;
        measurement.Extra["checkpoint_bytes"] = ProcessFigures.DiskBytes(path);
        context.AddWrites("checkpoint", measurement);
    }

    private static void Apply(
        PreparedChunks chunks, HdrHistogram.LongHistogram? histogram, Func<bool> stop, int from = 0)
    {
        for (var i = from; i < chunks.Count && !stop(); i++)
        {
            var start = Stopwatch.GetTimestamp();
            chunks.Apply(i);
            histogram?.Record(start, Stopwatch.GetTimestamp());
        }
    }

    private static long ReadUntil(
        IBenchReader reader, ReadKeys keys, int valueBytes, HdrHistogram.LongHistogram histogram, ref bool writing)
    {
        Span<byte> destination = stackalloc byte[512];
        long count = 0;
        var i = 0;
        do
        {
            var start = Stopwatch.GetTimestamp();
            if (reader.Get(keys[i], destination) != valueBytes) throw Reads.Wrong("get beside a writer");
            histogram.Record(start, Stopwatch.GetTimestamp());
            count++;
            i = i + 1 == keys.Count ? 0 : i + 1;
        }
        while (Volatile.Read(ref writing));

        return count;
    }
}
