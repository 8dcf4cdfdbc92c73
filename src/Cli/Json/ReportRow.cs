namespace Varve.Cli.Json;

/// <summary>A label and its numbers.</summary>
internal sealed record ReportRow(string Label, params double[] Numbers);
