using System.Globalization;

namespace Varve.Bench.Peers;

/// <summary>One row of the table.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Title">As in the report; <c>{n}</c> stands for the entries of the data set.</param>
/// <param name="Group">What measures it.</param>
/// <param name="Figure">How it is shown.</param>
/// <param name="Goals">What Varve is to reach; ratios within one run.</param>
internal sealed record Workload(string Name, string Title, Group Group, Figure Figure, params Goal[] Goals)
{
    /// <summary>True if it must not allocate: a hot path, by contract without garbage.</summary>
    public bool IsHotPath { get; init; }

    /// <summary>It is not a part of the full run.</summary>
    public bool IsLong { get; init; }

    /// <summary>Rows drawn together as lines over the size of the data; null: a bar chart of its own.</summary>
    public string? Curve { get; init; }

    public string TitleFor(long entries) =>
        Title.Replace("{n}", Short(Group.EntriesOf(entries)), StringComparison.Ordinal);

    /// <summary>The ratio by which <paramref name="one"/> is better than <paramref name="other"/>.</summary>
    public double Ratio(Summary one, Summary other) =>
        Figure.MoreIsBetter ? Figure.Of(one) / Figure.Of(other) : Figure.Of(other) / Figure.Of(one);

    private static string Short(long count) => count switch
    {
        >= 1_000_000 => (count / 1e6).ToString("0.##", CultureInfo.InvariantCulture) + " M",
        >= 1_000 => (count / 1e3).ToString("0.##", CultureInfo.InvariantCulture) + " k",
        _ => count.ToString(CultureInfo.InvariantCulture),
    };
}
