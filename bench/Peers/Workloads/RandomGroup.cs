using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>Random keys: the apply, then every read row on the settled database that it leaves.</summary>
internal static class RandomGroup
{
    private const int GetsMax = 1_000_000;

    public static void Run(RunContext context)
    {
        var source = EntrySource.Random(context.Entries);
        WarmUp.Run(context, source, 100, reads: true);
        var written = ProcessFigures.WrittenBytes;
        using var engine = context.Open(durable: false, out var path);
        var fill = FillGroup.Fill(engine, "apply-random", source, 100);
        if (context.Wants("apply-random")) context.Measurements.Add(fill);
        FillGroup.Settle(engine, fill, source, path, written);

        using var reader = engine.OpenReader();
        var gets = (int)Math.Min(Math.Max(source.Entries / 2, 100_000), GetsMax);
        using var present = ReadKeys.Present(source, gets, 1);
        using var warm = ReadKeys.Present(source, gets / 4, 2);
        Reads.Verify(reader, source, 10_000);
        Reads.All(reader);   // caches filled, mappings faulted in
        Reads.Gets(reader, warm, source.ValueBytes);

        if (context.Wants("get-present")) Present(context, reader, present, source);
        if (context.Wants("get-absent"))
        {
            using var absent = ReadKeys.Absent(source, gets, 1);
            context.Measurements.Add(Meter.Run("get-absent", () => Reads.Gets(reader, absent, -1)));
        }

        if (context.Wants("get-2-threads")) TwoThreads(context, engine, reader, source, present);
        if (context.Wants("scan-prefix"))
        {
            var scans = gets / EntrySource.EntriesPerPrefix;
            context.Measurements.Add(Meter.Run("scan-prefix", () => Reads.Prefixes(reader, source, scans)));
        }

        if (context.Wants("scan-full")) FullScan(context, reader, source);
    }

    private static void Present(RunContext context, IBenchReader reader, ReadKeys keys, EntrySource source)
    {
        var measurement = Meter.Run("get-present", () => Reads.Gets(reader, keys, source.ValueBytes));
        if (reader is IPinnedReader pinned)
            measurement.Extra["pinned_us"] = 1e6 / Meter.Run("", () => Reads.GetsPinned(pinned, keys, source.ValueBytes)).PerSecond;
        if (reader is IManagedReader managed)
        {
            var other = Meter.Run("", () => Reads.GetsManaged(managed, keys, source.ValueBytes));
            measurement.Extra["managed_us"] = 1e6 / other.PerSecond;
            measurement.Extra["managed_allocated_bytes"] = other.AllocatedBytesPerOperation;
        }

        context.Measurements.Add(measurement);
    }

    /// <summary>Both threads at once, and one alone right before it, so that scaling compares neighbours in time.</summary>
    private static void TwoThreads(RunContext context, IBenchEngine engine, IBenchReader first, EntrySource source, ReadKeys keys)
    {
        using var otherKeys = ReadKeys.Present(source, keys.Count, 3);
        var alone = Meter.Run("", () => Reads.Gets(first, keys, source.ValueBytes));
        using var ready = new Barrier(2);
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var reader = engine.OpenReader();
                Reads.Gets(reader, otherKeys, source.ValueBytes);
                ready.SignalAndWait();
                Reads.Gets(reader, otherKeys, source.ValueBytes);
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        ready.SignalAndWait();
        var measurement = Meter.Run("get-2-threads", () =>
        {
            Reads.Gets(first, keys, source.ValueBytes);
            thread.Join();
            return 2L * keys.Count;
        });
        if (failure is not null) throw failure;
        measurement.Extra["scaling"] = measurement.PerSecond / alone.PerSecond;
        context.Measurements.Add(measurement);
    }

    private static void FullScan(RunContext context, IBenchReader reader, EntrySource source)
    {
        // Repeated until there is something to time: a scan of a small database takes milliseconds.
        var rounds = (int)Math.Max(1, 2_000_000 / source.Entries);
        context.Measurements.Add(Meter.Run("scan-full", () =>
        {
            long entries = 0;
            for (var i = 0; i < rounds; i++)
            {
                var seen = Reads.All(reader);
                if (seen < source.Entries || seen > source.Entries + 1) throw Reads.Wrong("full scan");   // + 1: a peer's applied index
                entries += seen;
            }

            return entries;
        }));
    }
}
