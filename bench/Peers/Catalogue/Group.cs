namespace Varve.Bench.Peers;

/// <summary>Rows that one child process measures on one database.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Set">The set of groups that it belongs to.</param>
/// <param name="Run">Measures.</param>
internal sealed record Group(string Name, string Set, Action<RunContext> Run)
{
    /// <summary>Entries of its data set for each of <c>--entries</c>.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Entries whatever <c>--entries</c> says; 0: by <see cref="Scale"/>.</summary>
    public long FixedEntries { get; init; }

    /// <summary>Behind the names of its rows, where several groups have the same ones.</summary>
    public string Suffix { get; init; } = "";

    /// <summary>It repeats what is short about it by itself, as what comes before is long: one repetition is enough.</summary>
    public bool Once { get; init; }

    public long EntriesOf(long entries) => FixedEntries > 0 ? FixedEntries : Math.Max((long)(entries * Scale), 1_000);
}
