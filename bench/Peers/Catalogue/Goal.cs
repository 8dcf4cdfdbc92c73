using System.Globalization;
using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>Something that Varve is to reach in a row.</summary>
/// <param name="Text">As in the report.</param>
/// <param name="Measure">Varve's figure out of all engines' summaries of the row; null when one that it needs is
/// missing.</param>
/// <param name="Reached">Whether a figure is good enough.</param>
internal sealed record Goal(
    string Text, Func<Workload, IReadOnlyDictionary<string, Summary>, double?> Measure, Func<double, bool> Reached)
{
    /// <summary>At least so many times as good as whichever ordered peer is best.</summary>
    public static Goal BestPeer(double times) =>
        new($"≥ {Number(times)}x the best ordered peer", RatioToBestPeer, ratio => ratio >= times);

    /// <summary>At least so many times as good as a peer.</summary>
    public static Goal Over(string peer, double times) => new(
        $"≥ {Number(times)}x {peer}",
        (row, engines) => Pair(engines, peer) is var (own, other) ? row.Ratio(own, other) : null,
        ratio => ratio >= times);

    /// <summary>The row's figure, a cost, at most so many times that of a peer.</summary>
    public static Goal AtMostOf(string peer, double times, string what) => new(
        $"{what} ≤ {Number(times)}x {peer}",
        (row, engines) => Pair(engines, peer) is var (own, other) ? row.Figure.Of(own) / row.Figure.Of(other) : null,
        ratio => ratio <= times);

    /// <summary>Another figure of the row, a cost, at most so many times that of a peer.</summary>
    public static Goal AtMostOf(string peer, string extra, double times, string what) => new(
        $"{what} ≤ {Number(times)}x {peer}",
        (_, engines) => Pair(engines, peer) is var (own, other) ? own.Extra[extra] / other.Extra[extra] : null,
        ratio => ratio <= times);

    /// <summary>The row's figure, a cost, at most so much.</summary>
    public static Goal AtMost(double limit, string unit) => new(
        $"≤ {Number(limit)} {unit}",
        (row, engines) => engines.TryGetValue(BenchEngines.Varve, out var own) ? row.Figure.Of(own) : null,
        figure => figure <= limit);

    /// <summary>Another figure of the row at most so much.</summary>
    public static Goal AtMost(string extra, double limit, string what) => new(
        $"≤ {Number(limit)} {what}", (_, engines) => Extra(engines, extra), figure => figure <= limit);

    /// <summary>Another figure of the row at least so much.</summary>
    public static Goal AtLeast(string extra, double limit, string what) => new(
        $"≥ {Number(limit)} {what}", (_, engines) => Extra(engines, extra), figure => figure >= limit);

    /// <summary>
    /// Varve's ratio to the best ordered peer; null without one of the two. A table without order, log and atomic
    /// chunks is compared by name (<see cref="Over"/>).
    /// </summary>
    public static double? RatioToBestPeer(Workload row, IReadOnlyDictionary<string, Summary> engines)
    {
        if (!engines.TryGetValue(BenchEngines.Varve, out var own)) return null;
        var peers = engines.Where(e => e.Key is not (BenchEngines.Varve or BenchEngines.Faster))
            .Select(e => row.Ratio(own, e.Value)).ToList();
        return peers.Count == 0 ? null : peers.Min();
    }

    private static (Summary Own, Summary Other)? Pair(IReadOnlyDictionary<string, Summary> engines, string peer) =>
        engines.TryGetValue(BenchEngines.Varve, out var own) && engines.TryGetValue(peer, out var other)
            ? (own, other)
            : null;

    private static double? Extra(IReadOnlyDictionary<string, Summary> engines, string name) =>
        engines.TryGetValue(BenchEngines.Varve, out var own) && own.Extra.TryGetValue(name, out var figure)
            ? figure
            : null;

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
