using System.Globalization;
using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>The command line, of the run and of its child processes.</summary>
internal sealed record BenchArguments
{
    public const string Usage = """
        bench/Peers: Varve beside RocksDB, LMDB and ZoneTree, each in its own process.

          (nothing)           the table of goals: the set "main"
          --quick             the same with 250,000 entries, Varve, RocksDB and LMDB: the main ratios in under 3 minutes
          --all               every set
          --workloads a,b     sets, groups or rows by name; --list names them
          --entries N         entries a data set (2,000,000); the other sizes of the table follow
          --repeat N          repetitions, of which the median counts (3)
          --engines a,b       of varve, rocksdb, rocksdb-default, lmdb, zonetree (all)
          --data DIR          where to make the directory for databases, deleted at the end (the working directory)
          --save              keep the raw results as JSON under bench/Peers/results
          --load FILE         measure nothing: the table and the figures of a saved result
          --markdown FILE     write the table
          --plots DIR         draw the figures
        """;

    public long Entries { get; private set; } = 2_000_000;

    public int Repeat { get; private set; } = 3;

    public bool Save { get; private set; }

    public bool List { get; private set; }

    public string? Load { get; private set; }

    public string? Markdown { get; private set; }

    public string? Plots { get; private set; }

    public string Data { get; private set; } = ".";

    public IReadOnlyList<string> Engines { get; private set; } = BenchEngines.Names;

    public IReadOnlyList<Workload> Workloads { get; private set; } = MainRows.All;

    /// <summary>The engine, when this process is a child.</summary>
    public string? ChildEngine { get; private set; }

    /// <summary>The group of rows, when this process is a child.</summary>
    public string? ChildGroup { get; private set; }

    /// <summary>What a child asks of a child of its own; null for the whole group.</summary>
    public string? ChildPart { get; private set; }

    /// <exception cref="ArgumentException">An option is unknown or its value makes no sense.</exception>
    public static BenchArguments Parse(string[] args)
    {
        var result = new BenchArguments();
        if (args.Contains("--quick"))
            (result.Entries, result.Engines) = (250_000, [BenchEngines.Varve, "rocksdb", "lmdb"]);
        var rest = new Queue<string>(args);
        while (rest.TryDequeue(out var option))
        {
            switch (option)
            {
                case "--quick": break;
                case "--save": result.Save = true; break;
                case "--list": result.List = true; break;
                case "--all": result.Workloads = Rows.All; break;
                case "--entries": result.Entries = long.Parse(Next(option), NumberStyles.AllowThousands, CultureInfo.InvariantCulture); break;
                case "--repeat": result.Repeat = int.Parse(Next(option), CultureInfo.InvariantCulture); break;
                case "--engines": result.Engines = Next(option).Split(','); break;
                case "--workloads": result.Workloads = Next(option).Split(',').SelectMany(Rows.Find).Distinct().ToList(); break;
                case "--data": result.Data = Next(option); break;
                case "--load": result.Load = Next(option); break;
                case "--markdown": result.Markdown = Next(option); break;
                case "--plots": result.Plots = Next(option); break;
                case "--child": (result.ChildEngine, result.ChildGroup) = (Next(option), Next(option)); break;
                case "--part": result.ChildPart = Next(option); break;
                default: throw new ArgumentException($"unknown option '{option}'");
            }
        }

        if (result.Entries is < 10_000 or > 1_000_000_000) throw new ArgumentException("--entries is 10,000 to 1,000,000,000");
        if (result.Repeat < 1) throw new ArgumentException("--repeat is 1 or more");
        foreach (var engine in result.Engines) BenchEngines.Create(engine);
        return result;

        string Next(string option) => rest.TryDequeue(out var value) ? value : throw new ArgumentException($"{option} wants a value");
    }

    /// <summary>The command line of the child that measures one group with one engine, with its databases in <paramref name="directory"/>.</summary>
    public IEnumerable<string> ForChild(string engine, string group, string directory) =>
    [
        "--child", engine, group, "--entries", Entries.ToString(CultureInfo.InvariantCulture), "--data", directory,
        "--workloads", string.Join(',', Workloads.Where(w => w.Group.Name == group).Select(w => w.Name)),
    ];

    /// <summary>The command line of a child of this child, which works in the database at <paramref name="directory"/>.</summary>
    public IEnumerable<string> ForPart(string part, string directory) => [.. ForChild(ChildEngine!, ChildGroup!, directory), "--part", part];
}
