using Varve.Cli.Json;

namespace Varve.Cli.Report;

/// <summary>The content of a report: facts as text, and charts.</summary>
internal sealed record ReportDocument(string Directory, string Made, ReportFact[] Facts, ReportChart[] Charts);
