namespace Varve.Cli.Json;

/// <summary>The result of <c>import</c>: entries applied and entries left out.</summary>
internal sealed record ImportSummary(long Applied, long Skipped, long Expired, Position LastApplied, long Count);
