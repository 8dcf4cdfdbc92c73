namespace Varve.Bench.Peers;

/// <summary>The sets that take long: asked for by name, or with <c>--all</c>.</summary>
internal static class LongRows
{
    private static readonly Group s_sustained = new("sustained", "sustained", ApplyGroups.Sustained) { Scale = 10 };
    private static readonly Group s_overwrite = new("overwrite", "sustained", ApplyGroups.Overwrite);
    private static readonly Group s_large = new("random-5x", "large", RandomGroup.Run) { Scale = 5, Suffix = "-5x" };

    public static IReadOnlyList<Workload> All { get; } =
    [
        new("sustained", "sustained apply, random keys, {n} entries, merges included", s_sustained, Figure.KiloPerSecond,
            Goal.Over("rocksdb", 3), Goal.AtMostOf("rocksdb", "chunk_p999_us", 1, "p99.9 chunk"), Goal.AtMost("chunk_p999_us", 5_000, "µs p99.9 chunk"))
            { IsHotPath = true },
        .. MainRows.CostRowsOf(s_sustained, "sustained"),
        new("overwrite", "overwrite of every entry, random order", s_overwrite, Figure.KiloPerSecond) { IsHotPath = true },
        new("overwrite-space", "space after settling, all {n} entries overwritten, of the live data", s_overwrite,
            Figure.Extra("of_live", "x"), Goal.AtMost(1.1, "x")),
        new("apply-random-5x", "apply, random 16 B keys, chunk 100, {n}", s_large, Figure.KiloPerSecond, Goal.BestPeer(4)) { IsHotPath = true },
        .. MainRows.ReadRowsOf(s_large),
    ];
}
