using System.Globalization;
using Varve.Cli.Json;
using Varve.Cli.Sizes;
using Varve.Cli.Text;

namespace Varve.Cli.Report;

/// <summary>The charts of a database: their titles, their texts and their numbers.</summary>
internal static class ReportCharts
{
    private const int KeyBytesShown = 60;

    public static ReportChart Runs(IReadOnlyList<RunStatistics> runs) => new()
    {
        Id = "runs",
        Title = "Runs",
        Text = "Sorted runs of tables, newest first; the last one is the bottom. A read looks into each of them until "
            + "it finds its key, so few runs mean fast reads.",
        LabelName = "run",
        Columns = ["bytes", "tables", "rows"],
        AreBytes = [true, false, false],
        Shown = [0],
        Rows =
        [
            .. runs.Select((run, level) => new ReportRow(
                level == runs.Count - 1 ? $"{level} (bottom)" : level.ToString(CultureInfo.InvariantCulture),
                run.Bytes, run.Tables, run.Rows)),
        ],
    };

    public static ReportChart Prefixes(SizeSurvey survey, int groupsMax)
    {
        var rows = survey.Groups.Take(groupsMax)
            .Select(group => Row(KeyText.Escape(group.Prefix, KeyBytesShown), group)).ToList();
        if (survey.GroupCount > groupsMax) rows.Add(Others(survey, groupsMax));
        if (survey.Leaves.Keys > 0) rows.Add(Row("(no further level)", survey.Leaves));
        if (survey.Rest.Keys > 0) rows.Add(Row("(beyond the counted prefixes)", survey.Rest));
        return new ReportChart
        {
            Id = "prefixes",
            Title = "Bytes by prefix",
            Text = "Live keys and values by the first level of the key, the largest prefixes first.",
            LabelName = "prefix",
            Columns = ["key bytes", "value bytes", "keys"],
            AreBytes = [true, true, false],
            Shown = [0, 1],
            IsHorizontal = true,
            Rows = [.. rows],
        };
    }

    public static ReportChart Largest(SizeSurvey survey) => new()
    {
        Id = "largest",
        Title = "Largest entries",
        Text = "The entries with the most bytes of key and value.",
        LabelName = "key",
        Columns = ["key bytes", "value bytes"],
        AreBytes = [true, true],
        Shown = [0, 1],
        IsHorizontal = true,
        Rows =
        [
            .. survey.Largest.Select(entry => new ReportRow(
                KeyText.Escape(entry.Key, KeyBytesShown), entry.Key.Length, entry.ValueBytes)),
        ],
    };

    public static ReportChart Sizes(string id, string title, SizeHistogram sizes) => new()
    {
        Id = id,
        Title = title,
        Text = "Live keys by size, in powers of two.",
        LabelName = "bytes",
        Columns = ["keys"],
        AreBytes = [false],
        Shown = [0],
        Rows =
        [
            .. sizes.Buckets.Select(bucket => new ReportRow(
                bucket.From == bucket.To ? SizeText.Count(bucket.From)
                    : $"{SizeText.Count(bucket.From)} to {SizeText.Count(bucket.To)}",
                bucket.Count)),
        ],
    };

    public static ReportChart Leases(LeaseHistogram leases) => new()
    {
        Id = "leases",
        Title = "Leases by the time left",
        Text = "Live keys with a lease, by the time from this report to their deadline.",
        LabelName = "time left",
        Columns = ["keys"],
        AreBytes = [false],
        Shown = [0],
        Rows = leases.Count == 0
            ? []
            : [.. leases.Buckets.Select(bucket => new ReportRow(bucket.Name, bucket.Count))],
    };

    public static ReportChart Writes(ManifestHistory history) => new()
    {
        Id = "writes",
        Title = "Write amplification of the tables",
        Text = string.Create(
            CultureInfo.InvariantCulture,
            $"Bytes written to tables since the manifest was begun. Each byte of a flush was written "
                + $"{history.WriteAmplification:F2} times to tables, and once to the log before."),
        LabelName = "work",
        Columns = ["bytes", "times"],
        AreBytes = [true, false],
        Shown = [0],
        Rows = history.Flushes + history.Compactions == 0 ? [] :
        [
            new ReportRow("flushes", history.FlushBytes, history.Flushes),
            new ReportRow("compactions", history.CompactionBytes, history.Compactions),
        ],
    };

    private static ReportRow Row(string label, PrefixSize size) =>
        new(label, size.KeyBytes, size.ValueBytes, size.Keys);

    private static ReportRow Others(SizeSurvey survey, int groupsMax)
    {
        var others = survey.Groups.Skip(groupsMax).ToList();
        return new ReportRow(
            $"({SizeText.Count(others.Count)} smaller prefixes)", others.Sum(group => group.KeyBytes),
            others.Sum(group => group.ValueBytes), others.Sum(group => group.Keys));
    }
}
