namespace Varve.Cli.Json;

/// <summary>What <c>import</c> has applied, and what it left out.</summary>
internal sealed record ImportSummary(long Applied, long Skipped, long Expired, Position LastApplied, long Count);
