using System.Diagnostics;
using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>
/// The same work at another size of the data: what each operation costs must not grow faster than the data, or not at
/// all.
/// </summary>
internal static class GrowthGroup
{
    private const int Gets = 500_000;

    public static void Run(RunContext context)
    {
        var source = EntrySource.Random(context.Entries);
        WarmUp.Run(context, source, 100, (engine, small) =>
        {
            WarmUp.Reads(engine, small);
            engine.Count();
            if (engine.HasCheckpoint) engine.Checkpoint(context.NewPath());
        });
        context.WarmPages(source);
        var written = ProcessFigures.WrittenBytes;
        var path = context.NewPath();
        Directory.CreateDirectory(path);
        using (var engine = context.Open(EngineSettings.Usual, path))
        {
            var fill = Filling.Fill(engine, source, 100);
            fill.Extra["of_live"] = Filling.Settle(engine, fill, source, path, written);
            context.AddWrites("growth-apply", fill);
            Read(context, engine, source);
            if (engine.HasCheckpoint)
            {
                context.Measure("growth-snapshot", () =>
                {
                    engine.Checkpoint(context.NewPath());
                    return 1;
                });
            }
        }

        var start = Stopwatch.GetTimestamp();
        using var again = context.Open(EngineSettings.Usual, path);
        context.Add("growth-open", new Measurement("", 1, Stopwatch.GetElapsedTime(start).TotalSeconds, 0, []));
        using var reads = new Reads(again.OpenReader(), source);
        reads.Verify(100);
    }

    private static void Read(RunContext context, IBenchEngine engine, EntrySource source)
    {
        using var reads = new Reads(engine.OpenReader(), source);
        var gets = (int)Math.Min(source.Entries, Gets);
        var present = ReadKeys.Present(source, gets, 1);
        var absent = ReadKeys.Absent(source, gets, 1);
        reads.All();
        reads.Present(ReadKeys.Present(source, gets, 2));
        context.Measure("growth-get", () => reads.Present(present));
        context.Measure("growth-absent", () => reads.Absent(absent));
        context.Measure("growth-scan", reads.All);
        context.Measure("growth-count", () =>
        {
            var count = engine.Count();
            // + 1: a peer's applied index.
            if (count < source.Entries || count > source.Entries + 1) throw Reads.Wrong("count");
            return 1;
        });
    }
}
