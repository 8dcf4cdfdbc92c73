namespace Varve.Cli.Json;

/// <summary>The result of <c>export</c>.</summary>
internal sealed record ExportSummary(string Path, ulong Revision, long Keys, long Bytes);
