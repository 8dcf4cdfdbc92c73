namespace Varve.Cli.Json;

/// <summary>What <c>apply</c> has done.</summary>
internal sealed record ApplySummary(
    long Entries, long Chunks, long Bytes, long Succeeded, Position LastApplied, long Count, double Seconds);
