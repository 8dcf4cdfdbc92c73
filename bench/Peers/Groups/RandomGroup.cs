namespace Varve.Bench.Peers;

/// <summary>
/// Random keys: the apply, every read row on what it leaves (a live memtable, several runs, the background still at
/// work), and every read row settled.
/// </summary>
internal static class RandomGroup
{
    public static void Run(RunContext context)
    {
        var source = EntrySource.Random(context.Entries);
        WarmUp.Run(context, source, 100, WarmUp.Reads);
        context.WarmPages(source);
        var written = ProcessFigures.WrittenBytes;
        using var engine = context.Open(Engines.EngineSettings.Usual, out var path);
        var fill = Filling.Fill(engine, source, 100);
        new ReadRows(context, engine, source, "-unsettled").Run();
        var space = Filling.Settle(engine, fill, source, path, written);
        context.AddWrites("apply-random", fill);
        context.AddFigure("apply-random-space", "of_live", space);
        context.AddFigure("apply-random-written", "of_user", fill.Extra["write_amplification"]);
        new ReadRows(context, engine, source, "").Run();
    }
}
