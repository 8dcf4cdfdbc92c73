namespace Varve.Bench.Peers;

/// <summary>Which figure of a row is shown and compared.</summary>
/// <param name="Unit">Behind the number.</param>
/// <param name="Of">The number.</param>
/// <param name="MoreIsBetter">A rate, not a cost.</param>
internal sealed record Figure(string Unit, Func<Summary, double> Of, bool MoreIsBetter = false)
{
    /// <summary>Thousands of operations a second.</summary>
    public static Figure KiloPerSecond { get; } = new("k/s", s => s.PerSecond / 1e3, MoreIsBetter: true);

    /// <summary>Microseconds an operation, from the mean.</summary>
    public static Figure Microseconds { get; } = new("µs", s => 1e6 / s.PerSecond);

    /// <summary>Milliseconds an operation, from the mean.</summary>
    public static Figure Milliseconds { get; } = new("ms", s => 1e3 / s.PerSecond);

    /// <summary>Microseconds a chunk, the median.</summary>
    public static Figure MedianChunk { get; } = Extra("chunk_p50_us", "µs");

    /// <summary>A cost that was measured beside the time.</summary>
    public static Figure Extra(string name, string unit) => new(unit, s => s.Extra[name]);
}
