namespace Varve.Cli.Bench;

/// <summary>The sizes of a benchmark.</summary>
/// <param name="Keys">Number of keys that fill writes.</param>
/// <param name="Calls">Number of calls of each other workload.</param>
/// <param name="ValueBytes">Bytes of a value.</param>
/// <param name="ChunkEntries">Entries of a chunk.</param>
/// <param name="ScanEntries">Entries of a scan.</param>
internal sealed record BenchSizes(int Keys, int Calls, int ValueBytes, int ChunkEntries, int ScanEntries);
