using System.Globalization;
using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>The command line, of the run and of its child processes.</summary>
internal sealed record BenchArguments
{
    public const string Usage = """
        bench/Peers: Varve beside RocksDB, LMDB, ZoneTree and FASTER, each in its own process.

          (nothing)           the full run: every goal and most of the rest, in 35 minutes
          --quick             the table of goals with 250,000 entries, Varve, RocksDB and LMDB, in under 3 minutes
          --only a,b          sets, groups or rows by name instead; --list names them
          --all               every row with every engine instead: hours
          --rounds N          rounds, of which the median counts (3 for the table of goals, 1 for the rest)
          --minutes N         begin nothing that would not end by then
          --engines a,b       of varve, rocksdb, rocksdb-default, lmdb, zonetree, faster, or all (those of the full run)
          --entries N         entries a data set (2,000,000); the other sizes follow
          --cold              do not warm the supply of fresh pages before rows that write
          --data DIR          where to make the directory for databases, deleted at the end (the working directory)
          --raw FILE          where raw results are kept, written after each measurement (bench/Peers/results/DATE.json)
          --report a,b        measure nothing: the report of raw results, files or directories of them, as one
          --markdown FILE     write the report
          --plots DIR         draw the figures
        """;

    private const double FullMinutes = 35;

    public long Entries { get; private set; } = 2_000_000;

    /// <summary>The command line that repeats the measurement.</summary>
    public string Command { get; private set; } = "";

    /// <summary>When the run should be over.</summary>
    public TimeSpan TimeLimit { get; private set; } = TimeSpan.MaxValue;

    public bool List { get; private set; }

    /// <summary>True if rows that write get their pages as the machine gives them.</summary>
    public bool ColdPages { get; private set; }

    /// <summary>Raw results to report on; empty: measure.</summary>
    public IReadOnlyList<string> Report { get; private set; } = [];

    public string? Raw { get; private set; }

    public string? Markdown { get; private set; }

    public string? Plots { get; private set; }

    public string Data { get; private set; } = ".";

    public IReadOnlyList<Workload> Workloads { get; private set; } = Rows.Full;

    /// <summary>The engine, when this process is a child.</summary>
    public string? ChildEngine { get; private set; }

    /// <summary>The group of rows, when this process is a child.</summary>
    public string? ChildGroup { get; private set; }

    /// <summary>The group or rows for a child of the child; null for the whole group.</summary>
    public string? ChildPart { get; private set; }

    private IReadOnlyList<string>? Engines { get; set; }

    private int? Rounds { get; set; }

    /// <exception cref="ArgumentException">An option is unknown or its value makes no sense.</exception>
    public static BenchArguments Parse(string[] args)
    {
        var result = new BenchArguments();
        if (!args.Any(a => a is "--only" or "--all" or "--quick")) result.TimeLimit = TimeSpan.FromMinutes(FullMinutes);
        if (args.Contains("--quick"))
            (result.Entries, result.Engines, result.Workloads) =
                (250_000, [BenchEngines.Varve, "rocksdb", "lmdb"], MainRows.All);
        if (args.Contains("--all")) (result.Engines, result.Workloads) = (BenchEngines.Names, Rows.All);
        var rest = new Queue<string>(args);
        while (rest.TryDequeue(out var option))
            result.Take(
                option,
                () => rest.TryDequeue(out var value) ? value : throw new ArgumentException($"{option} wants a value"));
        result.Command = result.Command.TrimStart();
        if (result.Entries is < 10_000 or > 1_000_000_000)
            throw new ArgumentException("--entries is 10,000 to 1,000,000,000");
        if (result.Rounds < 1) throw new ArgumentException("--rounds is 1 or more");
        foreach (var engine in result.Engines ?? []) BenchEngines.Create(engine);
        return result;
    }

    public IReadOnlyList<string> EnginesOf(Group group) => Engines ?? group.Engines;

    public int RoundsOf(Group group) => group.Once ? 1 : Rounds ?? group.Rounds;

    /// <summary>
    /// The command line of the child that measures one group with one engine, with its databases in
    /// <paramref name="directory"/>.
    /// </summary>
    public IEnumerable<string> ForChild(string engine, string group, string directory) =>
    [
        .. ColdPages ? ["--cold"] : Array.Empty<string>(),
        "--child", engine, group, "--entries", Entries.ToString(CultureInfo.InvariantCulture), "--data", directory,
        "--only", string.Join(',', Workloads.Where(w => w.Group.Name == group).Select(w => w.Name)),
    ];

    /// <summary>
    /// The command line of a child of this child, which works in the database at <paramref name="directory"/>.
    /// </summary>
    public IEnumerable<string> ForPart(string part, string directory) =>
        [.. ForChild(ChildEngine!, ChildGroup!, directory), "--part", part];

    private void Take(string option, Func<string> next)
    {
        switch (option)
        {
            case "--quick" or "--all": Command += $" {option}"; break;
            case "--list": List = true; break;
            case "--cold": (ColdPages, Command) = (true, Command + " --cold"); break;
            case "--only": Workloads = Measured().Split(',').SelectMany(Rows.Find).Distinct().ToList(); break;
            case "--rounds": Rounds = int.Parse(Measured(), CultureInfo.InvariantCulture); break;
            case "--minutes":
                TimeLimit = TimeSpan.FromMinutes(double.Parse(Measured(), CultureInfo.InvariantCulture)); break;
            case "--engines":
                Engines = Measured() is var names && names == "all" ? BenchEngines.Names : names.Split(','); break;
            case "--entries":
                Entries = long.Parse(Measured(), NumberStyles.AllowThousands, CultureInfo.InvariantCulture); break;
            case "--data": Data = next(); break;
            case "--raw": Raw = next(); break;
            case "--report": Report = next().Split(','); break;
            case "--markdown": Markdown = next(); break;
            case "--plots": Plots = next(); break;
            case "--child": (ChildEngine, ChildGroup) = (next(), next()); break;
            case "--part": ChildPart = next(); break;
            default: throw new ArgumentException($"unknown option '{option}'");
        }

        string Measured()
        {
            var value = next();
            Command += $" {option} {value}";
            return value;
        }
    }
}
