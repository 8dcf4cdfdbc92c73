using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>
/// Keys that are no random 16 bytes, and values that are no 100: the apply, and reads of the settled database.
/// </summary>
internal static class ShapeGroups
{
    private const int GetsMin = 20_000;
    private const int GetsMax = 500_000;
    private const long GetBytesMax = 4L << 30;

    public static void Paths(RunContext context) =>
        Run(context, new EntrySource(context.Entries, new PathKeys(), 100), 100);

    public static void Integers(RunContext context) =>
        Run(context, new EntrySource(context.Entries, new IntegerKeys(context.Entries), 100), 100);

    public static void Lengths(RunContext context) =>
        Run(context, new EntrySource(context.Entries, new LengthKeys(), 100), 100);

    public static void Values1K(RunContext context) => Run(context, EntrySource.Random(context.Entries, 1 << 10), 100);

    public static void Values64K(RunContext context) => Run(context, EntrySource.Random(context.Entries, 64 << 10), 10);

    private static void Run(RunContext context, EntrySource source, int chunkEntries)
    {
        WarmUp.Run(context, source, chunkEntries, WarmUp.Reads);
        context.WarmPages(source);
        var written = ProcessFigures.WrittenBytes;
        using var engine = context.Open(EngineSettings.Usual, out var path);
        var fill = Filling.Fill(engine, source, chunkEntries);
        fill.Extra["of_live"] = Filling.Settle(engine, fill, source, path, written);
        context.AddWrites("apply", fill);
        context.AddFigure("written", "of_user", fill.Extra["write_amplification"]);

        using var reads = new Reads(engine.OpenReader(), source);
        var gets = (int)Math.Min(Math.Clamp(source.Entries / 2, GetsMin, GetsMax), GetBytesMax / source.ValueBytes);
        var present = ReadKeys.Present(source, gets, 1);
        reads.Verify(1_000);
        if (engine.IsOrdered) reads.All();
        reads.Present(ReadKeys.Present(source, gets / 2, 2));
        context.Measure("get", () => ReadRows.Repeated(() => reads.Present(present)));
        context.Measure("get-in-place", () => ReadRows.Repeated(() => reads.InPlace(present)));
        if (context.Wants("absent"))
        {
            var absent = ReadKeys.Absent(source, gets, 1);
            context.Measure("absent", () => ReadRows.Repeated(() => reads.Absent(absent)));
        }

        if (engine.IsOrdered) context.Measure("scan", () => ReadRows.Repeated(reads.All));
    }
}
