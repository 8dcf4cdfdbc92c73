namespace Varve.Cli.Json;

/// <summary>The result of <c>apply</c>.</summary>
internal sealed record ApplySummary(
    long Entries, long Chunks, long Bytes, long Succeeded, Position LastApplied, long Count, double Seconds);
