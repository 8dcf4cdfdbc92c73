namespace Varve.Bench.Peers;

/// <summary>The medians of an engine's repetitions of one row.</summary>
internal sealed record Summary(
    int Repetitions, double PerSecond, double AllocatedBytesPerOperation, IReadOnlyDictionary<string, double> Extra)
{
    public static Summary Of(IReadOnlyList<Measurement> repetitions) => new(
        repetitions.Count,
        Median(repetitions.Select(m => m.PerSecond)),
        Median(repetitions.Select(m => m.AllocatedBytesPerOperation)),
        repetitions.SelectMany(m => m.Extra).GroupBy(e => e.Key, e => e.Value).ToDictionary(g => g.Key, Median));

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1
            ? sorted[sorted.Count / 2]
            : (sorted[sorted.Count / 2 - 1] + sorted[sorted.Count / 2]) / 2;
    }
}
