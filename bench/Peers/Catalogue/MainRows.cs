namespace Varve.Bench.Peers;

/// <summary>The rows of a run without options: the table of goals, settled and unsettled.</summary>
internal static class MainRows
{
    public const string Set = "main";
    private const string Faster = Engines.BenchEngines.Faster;

    private static readonly Group Random = Compared("random", RandomGroup.Run, 18);
    private static readonly Group Ascending = Compared("ascending", ApplyGroups.Ascending, 1.6);
    private static readonly Group ChunkOfOne = Compared("chunk1", ApplyGroups.ChunkOfOne, 4.6);
    private static readonly Group Durable = Compared("durable", DurableGroup.Run, 1.4);
    private static readonly Group Mixed = Compared("mixed", MixedGroup.WriterAndReader, 5.6);
    private static readonly Group Checkpoint = Compared("checkpoint", MixedGroup.Checkpoint, 2.4);

    public static IReadOnlyList<Workload> All { get; } =
    [
        new("apply-random", "apply, random 16 B keys, chunk 100", Random, Figure.KiloPerSecond,
            Goal.BestPeer(4), Goal.Over(Faster, 1.5)) { IsHotPath = true },
        new("apply-ascending", "apply, ascending 8 B keys, 256 B values", Ascending, Figure.KiloPerSecond,
            Goal.BestPeer(1.5)) { IsHotPath = true },
        new("apply-1", "apply, chunk 1", ChunkOfOne, Figure.KiloPerSecond,
            Goal.BestPeer(4), Goal.Over(Faster, 1)) { IsHotPath = true },
        new("durable-1", "durable, chunk 1", Durable, Figure.MedianChunk, Goal.AtMost("of_raw", 1.10, "x raw device"))
        {
            IsHotPath = true
        },
        new("durable-100", "durable, chunk 100", Durable, Figure.MedianChunk,
            Goal.AtMost("of_raw", 1.25, "x raw device"), Goal.Over("rocksdb", 4)) { IsHotPath = true },
        .. ReadRowsOf(Random),
        new("mixed", "reader beside a writer at full speed, reads", Mixed, Figure.KiloPerSecond,
            Goal.Over("lmdb", 2.5), Goal.Over(Faster, 1), Goal.AtMost("get_p999_us", 8, "µs p99.9"))
        {
            IsHotPath = true
        },
        new("mixed-writes", "the writer meanwhile", Mixed, Figure.KiloPerSecond,
            Goal.Over("lmdb", 3), Goal.Over(Faster, 1)),
        new(
            "checkpoint", "checkpoint under writes", Checkpoint, Figure.Milliseconds,
            Goal.AtMost("held_ms", 1, "ms appliers held")),
        .. CostRowsOf(Random, "apply-random"),
    ];

    /// <summary>With every engine, and a median.</summary>
    private static Group Compared(string name, Action<RunContext> run, double secondsPerMillion) =>
        new(name, Set, run) { Rounds = 3, Engines = Engines.BenchEngines.Names, SecondsPerMillion = secondsPerMillion };

    /// <summary>Every read row of a database of random keys, settled and unsettled.</summary>
    public static IEnumerable<Workload> ReadRowsOf(Group group, bool unsettledIsLong = false)
    {
        foreach (var (state, title) in new[] { ("", "settled"), ("-unsettled", "unsettled") })
        {
            var settled = state.Length == 0;
            yield return Row(
                "get-present", $"get, present, {title}", Figure.Microseconds,
                settled ? [Goal.Over("lmdb", 6), Goal.Over(Faster, 3)] : [Goal.Over("lmdb", 3)]);
            yield return Row(
                "get-absent", $"get, absent, {title}", Figure.Microseconds, settled ? [Goal.Over("rocksdb", 8)] : []);
            yield return Row("get-2-threads", $"get, 2 threads, {title}", Figure.KiloPerSecond,
                settled ? [Goal.Over("lmdb", 5), Goal.AtLeast("scaling", 1.9, "x one thread")] : []);
            yield return Row(
                "get-multi", $"multi-get of {Reads.MultiKeys}, a key, {title}", Figure.Microseconds,
                settled ? [Goal.AtMost(0.35, "µs")] : [])
                with
            { IsHotPath = false };
            yield return Row(
                "scan-prefix", $"prefix scan (31 entries), per entry, {title}", Figure.Microseconds,
                [Goal.Over("lmdb", settled ? 4 : 2.5)]);
            yield return Row(
                "scan-full", $"full scan, per entry, {title}", Figure.Microseconds,
                [Goal.Over("lmdb", settled ? 5 : 3)]);

            Workload Row(string name, string text, Figure figure, Goal[] goals) => new(
                name + state + group.Suffix, text + (group.Suffix.Length > 0 ? ", {n}" : ""), group, figure, goals)
            { IsHotPath = true, IsLong = unsettledIsLong && !settled };
        }
    }

    /// <summary>The cost of a fill once it has settled: space and writes.</summary>
    public static IEnumerable<Workload> CostRowsOf(Group group, string fill)
    {
        yield return new($"{fill}-space{group.Suffix}", "space after settling, {n} entries, of the live data", group,
            Figure.Extra("of_live", "x"), Goal.AtMost(1.1, "x"));
        yield return new(
            $"{fill}-written{group.Suffix}",
            "bytes written, {n} entries and their settling, of the user's bytes",
            group,
            Figure.Extra("of_user", "x"),
            Goal.AtMostOf("rocksdb", 1, "written"));
    }
}
