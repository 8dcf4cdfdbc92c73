namespace Varve.Cli.Json;

/// <summary>The number of sizes between two bounds, both inclusive.</summary>
internal sealed record SizeBucket(long From, long To, long Count);
