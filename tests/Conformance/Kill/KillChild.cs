namespace Varve.Tests.Conformance.Kill;

/// <summary>
/// The process that is killed: this assembly run by <c>dotnet exec</c>. It opens a machine, applies the seeded log from where
/// it stands for ever, and acknowledges each chunk by writing the applied index to its standard output.
/// </summary>
internal static class KillChild
{
    public const string Verb = "kill-child";
    public const string Journal = "Journal";

    public static EngineOptions Options(string durability) => new()
    {
        LeaseClock = LeaseClock.Log,
        MemtableBytes = 256 << 10,
        SyncInterval = TimeSpan.FromMilliseconds(5),
        Durability = durability == Journal ? Durability.Process : Enum.Parse<Durability>(durability),
    };

    public static int Main(string[] arguments)
    {
        if (arguments is not [Verb, var directory, var durability, var seed])
            return 1;
        using var acknowledge = Console.OpenStandardOutput();
        var options = Options(durability);
        if (durability == Journal)
        {
            using var journal = new JournalMachine(directory, options);
            Forever(journal.Machine, ulong.Parse(seed), acknowledge, journal.Apply, _ => { });
        }
        using var engine = LsmStateMachine.Open(directory, options);
        var results = new ApplyResult[64];
        Forever(engine, ulong.Parse(seed), acknowledge, chunk => engine.ApplyChunk(chunk, results), round => Disturb(engine, directory, round));
        return 0;
    }

    private static void Forever(IStateMachine machine, ulong seed, Stream acknowledge, Action<ApplyEntry[]> apply, Action<int> disturb)
    {
        for (int round = 0; ; round++)
        {
            acknowledge.Write(BitConverter.GetBytes(machine.LastApplied.Index));
            acknowledge.Flush();
            apply(SeededLog.ChunkFrom(seed, machine.LastApplied.Index + 1));
            disturb(round);
        }
    }

    /// <summary>Now and then something that rewrites files, so that the kill meets it half done.</summary>
    private static void Disturb(LsmStateMachine engine, string directory, int round)
    {
        switch (round % 60)
        {
            case 17:
                engine.Flush();
                break;
            case 31:
                _ = engine.CompactAsync();
                break;
            case 47:
                string path = $"{directory}.snapshot{Environment.ProcessId}.{round}";
                engine.GenerateSnapshotDataAsync(path, engine.LastApplied).GetAwaiter().GetResult();
                Directory.Delete(path, recursive: true);
                break;
        }
    }
}
