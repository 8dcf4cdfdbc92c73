namespace Varve.Bench.Peers;

/// <summary>One figure of one child process. Crosses the process boundary as JSON.</summary>
/// <param name="Workload">Which row of the table.</param>
/// <param name="Operations">Entries applied, gets done, or entries visited.</param>
/// <param name="Seconds">Wall-clock time for all of them.</param>
/// <param name="AllocatedBytesPerOperation">Managed bytes allocated by the measuring thread.</param>
/// <param name="Extra">Percentiles and whatever else belongs to the row, unit last in the name.</param>
internal sealed record Measurement(
    string Workload, long Operations, double Seconds, double AllocatedBytesPerOperation,
    Dictionary<string, double> Extra)
{
    /// <summary>Data of the plots: figures over time, and latencies at <see cref="Meter.Percentiles"/>.</summary>
    public Dictionary<string, double[]> Series { get; init; } = [];

    public double PerSecond => Operations / Seconds;
}

/// <summary>The result of a child process.</summary>
/// <param name="Measurements">The rows it was asked for.</param>
/// <param name="Notes">The engine's settings.</param>
internal sealed record ChildResult(IReadOnlyList<Measurement> Measurements, IReadOnlyList<string> Notes);
