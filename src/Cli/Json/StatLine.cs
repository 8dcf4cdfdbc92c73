namespace Varve.Cli.Json;

/// <summary>One look of <c>stat --watch</c>.</summary>
internal sealed record StatLine(
    double Seconds, Position LastApplied, Position Durable, long Count, double EntriesPerSecond, long MemtableBytes,
    int Runs, long RunBytes);
