namespace Varve.Cli.Json;

/// <summary>Runs and their bytes before and after a compaction.</summary>
internal sealed record CompactReport(int RunsBefore, long BytesBefore, int RunsAfter, long BytesAfter, double Seconds);
