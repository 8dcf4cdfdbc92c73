namespace Varve.Cli.Json;

/// <summary>The figures of one workload of <c>bench</c>; latencies are microseconds of one call.</summary>
internal sealed record BenchResult(
    string Workload, long Calls, long Entries, double Seconds, double EntriesPerSecond, double BytesPerSecond,
    double P50Us, double P90Us, double P99Us, double P999Us, double MaxUs);
