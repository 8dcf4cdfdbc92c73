namespace Varve.Cli.Json;

/// <summary>What <c>export</c> has written.</summary>
internal sealed record ExportSummary(string Path, ulong Revision, long Keys, long Bytes);
