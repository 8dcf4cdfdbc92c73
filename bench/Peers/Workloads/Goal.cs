using System.Globalization;

namespace Varve.Bench.Peers;

/// <summary>Something that Varve is to reach in a row.</summary>
/// <param name="Text">As in the report.</param>
/// <param name="Measure">Varve's figure out of all engines' summaries of the row; null when one that it needs is missing.</param>
/// <param name="Reached">Whether a figure is good enough.</param>
internal sealed record Goal(string Text, Func<Workload, IReadOnlyDictionary<string, Summary>, double?> Measure, Func<double, bool> Reached)
{
    public static Goal BestPeer(double times) => new(
        $"≥ {Number(times)}x the best peer",
        (row, engines) =>
        {
            var peers = engines.Where(e => e.Key != "varve").Select(e => row.Ratio(engines["varve"], e.Value)).ToList();
            return peers.Count == 0 ? null : peers.Min();
        },
        ratio => ratio >= times);

    public static Goal Over(string peer, double times) => new(
        $"≥ {Number(times)}x {peer}",
        (row, engines) => engines.TryGetValue(peer, out var other) ? row.Ratio(engines["varve"], other) : null,
        ratio => ratio >= times);

    public static Goal Over(string peer, double times, string extra, string what) => new(
        $"{what} ≥ {Number(times)}x {peer}",
        (_, engines) => engines.TryGetValue(peer, out var other) ? engines["varve"].Extra[extra] / other.Extra[extra] : null,
        ratio => ratio >= times);

    public static Goal AtMost(string extra, double limit, string what) => new(
        $"≤ {Number(limit)} {what}", (_, engines) => Extra(engines, extra), figure => figure <= limit);

    public static Goal AtLeast(string extra, double limit, string what) => new(
        $"≥ {Number(limit)} {what}", (_, engines) => Extra(engines, extra), figure => figure >= limit);

    private static double? Extra(IReadOnlyDictionary<string, Summary> engines, string name) =>
        engines["varve"].Extra.TryGetValue(name, out var figure) ? figure : null;

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
