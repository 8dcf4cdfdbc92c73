namespace Varve.Bench.Peers;

/// <summary>How a row's figure is shown.</summary>
internal enum Unit
{
    /// <summary>Thousands of operations a second.</summary>
    KiloPerSecond,

    /// <summary>Microseconds an operation, from the mean.</summary>
    Microseconds,

    /// <summary>Microseconds a chunk, the median.</summary>
    MedianMicroseconds,

    /// <summary>Milliseconds an operation.</summary>
    Milliseconds,
}

/// <summary>One row of the table.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Title">As in the report.</param>
/// <param name="Group">Which child process measures it; rows of a group share one database.</param>
/// <param name="Unit">How it is shown.</param>
/// <param name="Goals">What Varve is to reach; ratios within one run.</param>
internal sealed record Workload(string Name, string Title, string Group, Unit Unit, params Goal[] Goals)
{
    public static IReadOnlyList<Workload> All { get; } =
    [
        new("apply-random", "apply, random 16 B keys, chunk 100", "random", Unit.KiloPerSecond, Goal.BestPeer(4)),
        new("apply-ascending", "apply, ascending 8 B keys, 256 B values", "ascending", Unit.KiloPerSecond, Goal.BestPeer(4)),
        new("apply-1", "apply, chunk 1", "chunk1", Unit.KiloPerSecond, Goal.BestPeer(4)),
        new("durable-1", "durable, chunk 1", "durable", Unit.MedianMicroseconds, Goal.AtMost("of_raw", 1.10, "x raw device")),
        new("durable-100", "durable, chunk 100", "durable", Unit.MedianMicroseconds,
            Goal.AtMost("of_raw", 1.15, "x raw device"), Goal.Over("rocksdb", 4)),
        new("get-present", "get, present, settled", "random", Unit.Microseconds, Goal.Over("lmdb", 5)),
        new("get-absent", "get, absent, settled", "random", Unit.Microseconds, Goal.Over("rocksdb", 8)),
        new("get-2-threads", "get, 2 threads", "random", Unit.KiloPerSecond, Goal.Over("lmdb", 5), Goal.AtLeast("scaling", 1.9, "x one thread")),
        new("scan-prefix", "prefix scan (31 entries), per entry", "random", Unit.Microseconds, Goal.Over("lmdb", 4)),
        new("scan-full", "full scan, per entry", "random", Unit.Microseconds, Goal.Over("lmdb", 3)),
        new("mixed", "reader beside a writer at full speed, reads", "mixed", Unit.KiloPerSecond,
            Goal.Over("lmdb", 3), Goal.Over("lmdb", 3, "writes_per_second", "writes"), Goal.AtMost("get_p999_us", 8, "µs p99.9")),
        new("checkpoint", "checkpoint under writes", "checkpoint", Unit.Milliseconds, Goal.AtMost("held_ms", 1, "ms appliers held")),
    ];


    public static Workload Find(string name) =>
        All.FirstOrDefault(w => w.Name == name) ?? throw new ArgumentException($"no workload '{name}'; there are {string.Join(", ", All.Select(w => w.Name))}");

    /// <summary>What one operation costs in the row's unit, or the rate.</summary>
    public double Show(Summary summary) => Unit switch
    {
        Unit.KiloPerSecond => summary.PerSecond / 1e3,
        Unit.Microseconds => 1e6 / summary.PerSecond,
        Unit.MedianMicroseconds => summary.Extra["chunk_p50_us"],
        _ => 1e3 / summary.PerSecond,
    };

    /// <summary>How many times faster <paramref name="one"/> is than <paramref name="other"/>.</summary>
    public double Ratio(Summary one, Summary other) => Unit == Unit.KiloPerSecond ? Show(one) / Show(other) : Show(other) / Show(one);
}
