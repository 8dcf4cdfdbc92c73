namespace Varve.Cli.Json;

/// <summary>One picture of a report, with the numbers behind it.</summary>
internal sealed record ReportChart
{
    /// <summary>The name of its elements in the page: lower case letters and hyphens.</summary>
    public required string Id { get; init; }

    public required string Title { get; init; }

    /// <summary>One or two sentences below the title, which say how to read it.</summary>
    public required string Text { get; init; }

    /// <summary>Heads the column of labels in the table.</summary>
    public required string LabelName { get; init; }

    /// <summary>The names of the numbers of a row, in their order.</summary>
    public required string[] Columns { get; init; }

    /// <summary>The columns that are bytes; the others are counts.</summary>
    public required bool[] AreBytes { get; init; }

    /// <summary>The columns that the picture shows, as indexes into <see cref="Columns"/>.</summary>
    public required int[] Shown { get; init; }

    /// <summary>True for bars from left to right, which leave room for long labels.</summary>
    public bool IsHorizontal { get; init; }

    public required ReportRow[] Rows { get; init; }
}
