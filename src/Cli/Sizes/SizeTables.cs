using System.Globalization;
using Spectre.Console;
using Varve.Cli.Text;

namespace Varve.Cli.Sizes;

/// <summary>Prints a survey as tables, and its distributions as bars.</summary>
internal static class SizeTables
{
    private const int BarWidthMax = 100;
    private const int KeyBytesShown = 60;

    public static void Write(byte[] prefix, SizeSurvey survey, int groupsMax)
    {
        var of = prefix.Length == 0 ? "" : $" under '{KeyText.Escape(prefix)}'";
        AnsiConsole.WriteLine(
            $"{SizeText.Count(survey.Total.Keys)} keys{of} at index {survey.Revision}: "
                + $"{SizeText.Format(survey.Total.KeyBytes)} of keys, "
                + $"{SizeText.Format(survey.Total.ValueBytes)} of values");
        if (survey.Total.Keys == 0) return;
        WriteGroups(survey, groupsMax);
        WriteLargest(survey);
        WriteBars("keys by key size", survey.KeySizes);
        WriteBars("keys by value size", survey.ValueSizes);
    }

    private static void WriteGroups(SizeSurvey survey, int groupsMax)
    {
        if (survey.GroupCount == 0 || groupsMax == 0) return;
        var table = NumbersTable("prefix", "keys", "key bytes", "value bytes", "share");
        foreach (var group in survey.Groups.Take(groupsMax)) Row(KeyText.Escape(group.Prefix, KeyBytesShown), group);
        if (survey.Leaves.Keys > 0) Row("(no further level)", survey.Leaves);
        if (survey.Rest.Keys > 0) Row($"(beyond {SizeText.Count(SizeSurvey.GroupsMax)} prefixes)", survey.Rest);
        AnsiConsole.Write(table);
        if (survey.GroupCount > groupsMax)
            AnsiConsole.WriteLine($"{SizeText.Count(survey.GroupCount - groupsMax)} smaller prefixes are not shown");

        void Row(string name, PrefixSize group) => table.AddRow(
            new Spectre.Console.Text(name), Right(SizeText.Count(group.Keys)), Right(SizeText.Format(group.KeyBytes)),
            Right(SizeText.Format(group.ValueBytes)),
            Right(string.Create(CultureInfo.InvariantCulture, $"{100.0 * group.Bytes / survey.Total.Bytes:F1} %")));
    }

    private static void WriteLargest(SizeSurvey survey)
    {
        var table = NumbersTable("largest keys", "key bytes", "value bytes");
        foreach (var key in survey.Largest)
            table.AddRow(
                new Spectre.Console.Text(KeyText.Escape(key.Key, KeyBytesShown)), Right(SizeText.Count(key.Key.Length)),
                Right(SizeText.Count(key.ValueBytes)));
        if (table.Rows.Count > 0) AnsiConsole.Write(table);
    }

    private static void WriteBars(string title, SizeHistogram sizes)
    {
        var chart = new BarChart()
            .Label(title)
            .LeftAlignLabel()
            .UseValueFormatter((value, culture) => value.ToString("N0", culture))
            .Culture(CultureInfo.InvariantCulture);
        chart.Width = Math.Min(AnsiConsole.Profile.Width, BarWidthMax);
        foreach (var (from, to, count) in sizes.Buckets)
            chart.AddItem(from == to ? SizeText.Format(from) : $"{SizeText.Format(from)}+", count, Color.Aqua);
        AnsiConsole.Write(chart);
    }

    private static Table NumbersTable(string name, params string[] numbers)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn(name);
        foreach (var number in numbers) table.AddColumn(new TableColumn(number).RightAligned());
        return table;
    }

    private static Spectre.Console.Text Right(string text) => new Spectre.Console.Text(text).RightJustified();
}
