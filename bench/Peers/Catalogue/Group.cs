using Varve.Bench.Peers.Engines;

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

    /// <summary>It repeats its short parts itself, since its preparation is long: one round is enough.</summary>
    public bool Once { get; init; }

    /// <summary>Rounds when nothing is said.</summary>
    public int Rounds { get; init; } = 1;

    /// <summary>Engines when nothing is said.</summary>
    public IReadOnlyList<string> Engines { get; init; } = [BenchEngines.Varve, "rocksdb", "lmdb"];

    /// <summary>None of its rows is a part of the full run.</summary>
    public bool IsLong { get; init; }

    /// <summary>About how long an engine takes for a million entries: a guess until the run knows better.</summary>
    public double SecondsPerMillion { get; init; } = 7;

    /// <summary>Its approximate time, for any number of entries.</summary>
    public double SecondsFixed { get; init; } = 1.5;

    public double SecondsOf(long entries) => SecondsFixed + SecondsPerMillion * EntriesOf(entries) / 1e6;

    public long EntriesOf(long entries) => FixedEntries > 0 ? FixedEntries : Math.Max((long)(entries * Scale), 1_000);
}
