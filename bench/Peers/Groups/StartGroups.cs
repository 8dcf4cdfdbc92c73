using System.Diagnostics;
using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>Start, stop, and memory for unflushed entries.</summary>
internal static class StartGroups
{
    /// <summary>
    /// The entries with 16-byte keys and 100-byte values that nearly fill a WAL segment of 64 MiB: 98 % of it in
    /// Varve's record format.
    /// </summary>
    public const long SegmentEntries = 480_000;

    private const string FillPart = "fill";
    private const int Opens = 5;

    /// <summary>None of the entries is flushed before the end in any engine.</summary>
    private static readonly EngineSettings Roomy = new() { MemtableBytes = 128 << 20 };

    /// <summary>
    /// A child of the child applies as much as a full segment of 64 MiB holds and kills itself; the time is that of the
    /// next open, with the files in the page cache. Another one each time, of which the first does not count: it pays
    /// for the compilation of the code.
    /// </summary>
    public static void Recovery(RunContext context)
    {
        var source = EntrySource.Random(context.Entries);
        if (context.Arguments.ChildPart == FillPart) FillAndDie(context, source);
        var seconds = new List<double>();
        var figures = new Dictionary<string, double>();
        for (var i = 0; i <= Opens; i++)
        {
            var path = context.NewPath();
            Directory.CreateDirectory(path);
            var (_, failure) = ChildProcess.Run(context.Arguments.ForPart(FillPart, path));
            if (failure is not null) throw new IOException(failure);
            Meter.Collect();
            var start = Stopwatch.GetTimestamp();
            using var engine = context.Open(SegmentSettings(context), path);
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            engine.Describe(figures);
            using var reads = new Reads(engine.OpenReader(), source);
            if (engine.KeepsAllWhenKilled) reads.Verify(1_000);
        }

        figures["first_ms"] = seconds[0] * 1e3;
        figures["longest_ms"] = seconds.Skip(1).Max() * 1e3;
        context.Add("recovery", new Measurement("", 1, Summary.Median(seconds.Skip(1)), 0, figures));
    }

    /// <summary>
    /// Memory of entries that are in memtable and log alone, as many in every engine: what the process has more of
    /// anonymous memory than before, and the bytes of its log, which are mapped or in the page cache.
    /// </summary>
    public static void Memory(RunContext context)
    {
        var source = EntrySource.Random(context.Entries);
        WarmUp.Run(context, source, 100);
        using var engine = context.Open(SegmentSettings(context), out _);
        using var chunks = engine.Prepare(source, 0, checked((int)source.Entries), 100);
        Meter.Collect();
        var before = ProcessFigures.AnonymousBytes;
        var measurement = Meter.Run("", () =>
        {
            for (var i = 0; i < chunks.Count; i++) chunks.Apply(i);
            return source.Entries;
        });
        var figures = measurement.Extra;
        engine.Describe(figures);
        figures["anonymous_grown_bytes"] = ProcessFigures.AnonymousBytes - before;
        if (!figures.ContainsKey("memtable_bytes"))
            throw new NotSupportedException("it does not tell its memtable and its log");
        figures["bytes_per_entry"] = (figures["memtable_bytes"] + figures["log_bytes"]) / source.Entries;
        figures["anonymous_and_log_per_entry"] =
            (figures["anonymous_grown_bytes"] + figures["log_bytes"]) / source.Entries;
        context.Add("memory", measurement);
    }

    /// <summary>
    /// A large database: closing it and opening it again, as the load has left it, settled, and settled with nothing of
    /// it in the page cache.
    /// </summary>
    public static void Open(RunContext context)
    {
        var source = EntrySource.Random(context.Entries, valueBytes: 1_008);
        WarmUp.Run(context, source, 100, (engine, small) => new Reads(engine.OpenReader(), small).Verify(100));
        var path = context.NewPath();
        Directory.CreateDirectory(path);
        var close = new Dictionary<string, double>();
        using (var engine = context.Open(EngineSettings.Usual, path))
        {
            Filling.Load(engine, source);
            close["close_ms"] = Milliseconds(engine.Dispose);
        }

        var asLoaded = Reopen(context, source, path);
        using (var engine = context.Open(EngineSettings.Usual, path))
        {
            engine.Settle();
            close["close_settled_ms"] = Milliseconds(engine.Dispose);
        }

        Reopen(context, source, path);
        var settled = Enumerable.Range(0, Opens).Select(_ => Reopen(context, source, path)).ToList();
        var cold = Enumerable.Range(0, 3).Select(_ =>
        {
            ProcessFigures.DropFromCache(path);
            return Reopen(context, source, path);
        }).ToList();
        close["disk_bytes"] = ProcessFigures.DiskBytes(path);
        context.Add("open", new Measurement("", 1, Summary.Median(settled), 0, close));
        context.Add("open-as-loaded", new Measurement("", 1, asLoaded, 0, []));
        context.Add("open-cold", new Measurement("", 1, Summary.Median(cold), 0, []));
    }

    /// <summary>Seconds until the first get is answered.</summary>
    private static double Reopen(RunContext context, EntrySource source, string path)
    {
        Meter.Collect();
        var start = Stopwatch.GetTimestamp();
        using var engine = context.Open(EngineSettings.Usual, path);
        using var reads = new Reads(engine.OpenReader(), source);
        reads.Verify(1);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void FillAndDie(RunContext context, EntrySource source)
    {
        var engine = context.Open(SegmentSettings(context), context.Arguments.Data);
        Filling.Load(engine, source);
        ChildRunner.Send(context);
        Process.GetCurrentProcess().Kill();
    }

    /// <summary>
    /// Varve's segments as they are by default, which hold the entries; memtables large enough elsewhere.
    /// </summary>
    private static EngineSettings SegmentSettings(RunContext context) =>
        context.Arguments.ChildEngine == BenchEngines.Varve ? EngineSettings.Usual : Roomy;

    private static double Milliseconds(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
