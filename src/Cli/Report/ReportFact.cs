namespace Varve.Cli.Report;

/// <summary>One fact of a database.</summary>
internal sealed record ReportFact(string Name, string Value);
