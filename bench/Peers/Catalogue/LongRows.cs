using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>The other sets: most of them a part of the full run, the longest asked for by name.</summary>
internal static class LongRows
{
    private static readonly Group SustainedGroup =
        new("sustained", "sustained", ApplyGroups.Sustained) { Scale = 10, SecondsPerMillion = 3 };
    private static readonly Group Overwrite =
        new("overwrite", "sustained", ApplyGroups.Overwrite) { SecondsPerMillion = 5.5 };
    private static readonly Group Large =
        new("random-5x", "large", RandomGroup.Run) { Scale = 5, Suffix = "-5x", SecondsPerMillion = 5.6 };
    private static readonly Group Recovery =
        new("recovery", "start", StartGroups.Recovery) { FixedEntries = StartGroups.SegmentEntries, SecondsFixed = 9 };
    private static readonly Group Memory =
        new("memory", "start", StartGroups.Memory) { FixedEntries = StartGroups.SegmentEntries };
    // 10 GiB of 1 KiB entries at 2 M.
    private static readonly Group Open =
        new("open", "open", StartGroups.Open) { Scale = 5.24288, Once = true, Engines = [BenchEngines.Varve] };
    private static readonly Group Limited =
        new("limited", "limited", LimitedGroup.Run) { Scale = 2, IsLong = true, SecondsFixed = 20 };

    public static IReadOnlyList<Workload> All { get; } =
    [
        .. Start(),
        .. Sustained(),
        new("apply-random-5x", "apply, random 16 B keys, chunk 100, {n}", Large, Figure.KiloPerSecond, Goal.BestPeer(4))
        {
            IsHotPath = true
        },
        .. MainRows.ReadRowsOf(Large, unsettledIsLong: true),
        .. Shape(new("paths", "shapes", ShapeGroups.Paths) { Suffix = "-paths" }, "/registry/pods/... keys"),
        .. Shape(
            new("integers", "shapes", ShapeGroups.Integers) { Suffix = "-integers" }, "8 B integer keys, random order"),
        .. Shape(new("lengths", "shapes", ShapeGroups.Lengths) { Suffix = "-lengths" }, "keys of 4-200 B"),
        .. Values(
            new("values-1k", "values", ShapeGroups.Values1K)
            {
                Scale = 0.5,
                Suffix = "-1k",
                SecondsPerMillion = 12,
                Engines = [BenchEngines.Varve, "rocksdb", "lmdb", BenchEngines.Faster],
            },
            "values of 1 KB", 1.5, Goal.BestPeer(3)),
        .. Values(new("values-64k", "values", ShapeGroups.Values64K)
        {
            Scale = 1.0 / 128,
            Suffix = "-64k",
            SecondsPerMillion = 1_000
        }, "values of 64 KB", 1.1, Goal.Over("lmdb", 1.2), Goal.Over("rocksdb", 4),
            Goal.AtMost("chunk_p99_us", 20_000, "µs p99 chunk")),
        .. Ycsb(
            new("ycsb-100", "ycsb", YcsbGroup.Run(100)) { Scale = 0.5, Suffix = "-100", SecondsPerMillion = 18 },
            "100 B"),
        .. Ycsb(new("ycsb-1k", "ycsb", YcsbGroup.Run(1_000))
        {
            Scale = 0.5,
            Suffix = "-1k",
            IsLong = true,
            SecondsPerMillion = 20
        }, "1 KB"),
        .. Ycsb(
            new("ycsb-100-5x", "ycsb", YcsbGroup.Run(100)) { Scale = 5, Suffix = "-100-5x", IsLong = true }, "100 B"),
        .. Ycsb(
            new("ycsb-1k-5x", "ycsb", YcsbGroup.Run(1_000)) { Scale = 5, Suffix = "-1k-5x", IsLong = true }, "1 KB"),
        new("limited-get", "get in a quarter of the data's memory, {n} of 1 KB", Limited, Figure.Microseconds),
        new("limited-get-other", "the same, the other table access", Limited, Figure.Microseconds),
        .. Growth(new("growth-1", "growth", GrowthGroup.Run) { Scale = 0.5, Suffix = "-1" }),
        .. Growth(new("growth-10", "growth", GrowthGroup.Run) { Scale = 5, Suffix = "-10", IsLong = true }),
        .. Growth(new("growth-40", "growth", GrowthGroup.Run) { Scale = 20, Suffix = "-40", IsLong = true }),
    ];

    private static IEnumerable<Workload> Start()
    {
        yield return new(
            "recovery", "open after a kill, a full 64 MiB segment ({n} entries)", Recovery, Figure.Milliseconds,
            Goal.AtMost(150, "ms"));
        yield return new("memory", "memtable and log, {n} entries, an entry", Memory, Figure.Extra(
            "bytes_per_entry", "B"),
            Goal.AtMostOf("rocksdb", 0.7, "memory"));
        yield return new(
            "open", "open a clean database, {n} of 1 KB, settled, to the first get", Open, Figure.Milliseconds,
            Goal.AtMost(100, "ms"));
        yield return new(
            "open-as-loaded", "the same, as the load has left it", Open, Figure.Milliseconds, Goal.AtMost(100, "ms"));
        yield return new("open-cold", "the same, settled, nothing in the page cache", Open, Figure.Milliseconds);
    }

    private static IEnumerable<Workload> Sustained()
    {
        yield return new(
            "sustained",
            "sustained apply, random keys, {n} entries, merges included",
            SustainedGroup,
            Figure.KiloPerSecond,
            Goal.Over("rocksdb", 4),
            Goal.AtMostOf("rocksdb", "chunk_p999_us", 1, "p99.9 chunk"),
            Goal.AtMost("chunk_p999_us", 5_000, "µs p99.9 chunk"))
        { IsHotPath = true };
        foreach (var row in MainRows.CostRowsOf(SustainedGroup, "sustained")) yield return row;
        yield return new("overwrite", "overwrite of every entry, random order", Overwrite, Figure.KiloPerSecond)
        {
            IsHotPath = true
        };
        yield return new(
            "overwrite-space",
            "space after settling, all {n} entries overwritten, of the live data",
            Overwrite,
            Figure.Extra("of_live", "x"),
            Goal.AtMost(1.1, "x"));
    }

    private static IEnumerable<Workload> Shape(Group group, string what)
    {
        yield return new("apply" + group.Suffix, $"apply, {what}", group, Figure.KiloPerSecond) { IsHotPath = true };
        yield return new("get" + group.Suffix, $"get, present, {what}", group, Figure.Microseconds)
        {
            IsHotPath = true
        };
        yield return new("absent" + group.Suffix, $"get, absent, {what}", group, Figure.Microseconds)
        {
            IsHotPath = true
        };
        yield return new("scan" + group.Suffix, $"full scan, per entry, {what}", group, Figure.Microseconds)
        {
            IsHotPath = true
        };
    }

    private static IEnumerable<Workload> Values(Group group, string what, double written, params Goal[] goals)
    {
        yield return new("apply" + group.Suffix, $"apply, {what}", group, Figure.KiloPerSecond, goals)
        {
            IsHotPath = true
        };
        yield return new("written" + group.Suffix, $"bytes written and settled, of the user's, {what}", group,
            Figure.Extra("of_user", "x"), Goal.AtMost(written, "x"));
        yield return new("get" + group.Suffix, $"get, copied out, {what}", group, Figure.Microseconds)
        {
            IsHotPath = true
        };
        yield return new("get-in-place" + group.Suffix, $"get, in place, {what}", group, Figure.Microseconds)
        {
            IsHotPath = true
        };
    }

    private static IEnumerable<Workload> Ycsb(Group group, string values) => YcsbMix.All
        .Select(mix =>
            new Workload(
                $"ycsb-{mix.Name}{group.Suffix}", $"{mix.Title}; {{n}} x {values}", group, Figure.KiloPerSecond,
                Goal.BestPeer(mix.Scans > 0 ? 1.5 : 3))
            {
                IsHotPath = true
            });

    private static IEnumerable<Workload> Growth(Group group)
    {
        yield return Row("apply", "apply", Figure.KiloPerSecond);
        yield return Row("get", "get, present", Figure.Microseconds);
        yield return Row("absent", "get, absent", Figure.Microseconds);
        yield return Row("scan", "full scan, per entry", Figure.Microseconds);
        yield return Row("count", "count", Figure.Milliseconds);
        yield return Row("snapshot", "snapshot", Figure.Milliseconds);
        yield return Row("open", "open", Figure.Milliseconds);

        Workload Row(string name, string title, Figure figure) =>
            new($"growth-{name}{group.Suffix}", title + ", {n}", group, figure) { Curve = title };
    }
}
