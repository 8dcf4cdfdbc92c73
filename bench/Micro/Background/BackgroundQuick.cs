using System.Diagnostics;

namespace Varve.Bench.Micro.Background;

/// <summary>
/// Measures flushes and compactions beside an applier at full speed, and the files that they leave: one run, a line a
/// figure. With a reader, a second thread gets present keys at full speed; with a checkpoint, one is made in the
/// middle.
/// </summary>
internal static class BackgroundQuick
{
    private const int ChunkEntries = 100;

    public static void Run(long entries, bool hasReader, bool hasCheckpoint, EngineOptions? options = null)
    {
        using var load = new RandomLoad(entries, ChunkEntries);
        WarmUp();
        var directory = Directory.CreateTempSubdirectory("varve-background-").FullName;
        try
        {
            using (var machine = LsmStateMachine.Open(Path.Combine(directory, "db"), options))
                Measure(machine, load, directory, hasReader, hasCheckpoint);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void WarmUp()
    {
        using var load = new RandomLoad(400_000, ChunkEntries);
        var directory = Directory.CreateTempSubdirectory("varve-background-").FullName;
        using (var machine = LsmStateMachine.Open(directory, new EngineOptions { MemtableBytes = 4 << 20 }))
        {
            Apply(machine, load, 0, load.Chunks, new long[load.Chunks]);
            machine.CompactAsync().GetAwaiter().GetResult();
        }

        Directory.Delete(directory, recursive: true);
    }

    private static void Measure(
        LsmStateMachine machine, RandomLoad load, string directory, bool hasReader, bool hasCheckpoint)
    {
        var chunks = new long[load.Chunks];
        var written = ThreadTimes.WrittenBytes;
        var before = new ThreadTimes();
        using var reader = hasReader ? new ReaderBeside(machine) : null;
        var checkpoint = hasCheckpoint ? new CheckpointBeside(machine, directory) : null;
        var start = Stopwatch.GetTimestamp();
        for (var tenth = 0; tenth < 10; tenth++)
        {
            Apply(machine, load, load.Chunks * tenth / 10, load.Chunks * (tenth + 1) / 10, chunks);
            reader?.Applied(load.Entries * (tenth + 1) / 10);
            if (tenth == 7) checkpoint?.Start();
        }

        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        reader?.Stop();
        var after = new ThreadTimes();
        var fill = machine.GetStatistics();
        checkpoint?.Report(chunks);
        start = Stopwatch.GetTimestamp();
        machine.CompactAsync().GetAwaiter().GetResult();
        var settle = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var settled = new ThreadTimes();
        var end = machine.GetStatistics();

        Console.WriteLine($"apply             {load.Entries / seconds / 1000,10:N0} k/s of {load.Entries:N0} entries");
        Console.WriteLine(
            $"table thread      {after.Since(before, "Varve tables") * 1e9 / load.Entries,10:N0} ns of processor time "
                + $"an entry while filling ({100 * after.Since(before, "Varve tables") / seconds:N0}% of the time), "
                + $"{settled.Since(before, "Varve tables") * 1e9 / load.Entries:N0} ns settled");
        Console.WriteLine(
            $"sync thread       {after.Since(before, "Varve sync") * 1e9 / load.Entries,10:N0} ns of processor time an "
                + "entry while filling");
        Console.WriteLine(
            $"flushes           {fill.Flushes,10:N0} of {fill.FlushBytes:N0} bytes while filling; compactions "
                + $"{fill.Compactions} of {fill.CompactionBytes:N0} bytes, settled {end.Compactions} of "
                + $"{end.CompactionBytes:N0}");
        Console.WriteLine(
            $"write amplific.   {(double)(end.WalBytes + end.FlushBytes + end.CompactionBytes) / load.UserBytes,10:N2} "
                + $"by the engine's counters, {(double)(ThreadTimes.WrittenBytes - written) / load.UserBytes:N2} by "
                + "the kernel's");
        Console.WriteLine(
            $"stalls            {end.FlushStalls,10:N0} for flushes, {end.SegmentStalls} for segments, {end.Pauses:N0} "
                + $"pauses, {end.StallTime.TotalMilliseconds:N0} ms");
        PrintLatencies("chunk", chunks);
        reader?.Report();
        Console.WriteLine($"settle            {settle,10:N2} s");
        Console.WriteLine(
            $"disk              {BytesUnder(directory),10:N0} bytes, "
                + $"{(double)BytesUnder(directory) / load.UserBytes:N2} of the data");
        foreach (var group in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).GroupBy(
            Path.GetExtension))
            Console.WriteLine(
                $"  {group.Key,-15} {group.Sum(path => new FileInfo(path).Length),10:N0} bytes in {group.Count()} "
                    + "files");
    }

    /// <summary>Prints percentiles of times in ticks of the clock.</summary>
    public static void PrintLatencies(string name, long[] ticks)
    {
        var sorted = ticks.Order().ToArray();
        Console.WriteLine(
            $"{name,-17} p50 {At(0.5):N2}, p99 {At(0.99):N2}, p99.9 {At(0.999):N2}, p99.99 {At(0.9999):N2}, max "
                + $"{At(1):N2} µs");

        double At(double share) =>
            sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))] * 1e6 / Stopwatch.Frequency;
    }

    private static void Apply(LsmStateMachine machine, RandomLoad load, int from, int to, long[] ticks)
    {
        var results = new ApplyResult[ChunkEntries];
        for (var i = from; i < to; i++)
        {
            var start = Stopwatch.GetTimestamp();
            machine.ApplyChunk(load.Chunk(i), results);
            ticks[i] = Stopwatch.GetTimestamp() - start;
        }
    }

    private static long BytesUnder(string directory) =>
        Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Sum(path => new FileInfo(path).Length);
}
