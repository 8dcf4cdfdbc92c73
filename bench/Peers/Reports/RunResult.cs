using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Varve.Bench.Peers.Reports;

/// <summary>One measurement with the engine that it is of.</summary>
internal sealed record EngineMeasurement(string Engine, Measurement Measurement);

/// <summary>Everything that a run has measured; what <c>--save</c> keeps.</summary>
internal sealed class RunResult(Machine machine, long entries, int repeat)
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    public DateTimeOffset At { get; } = TimeProvider.System.GetUtcNow();

    public Machine Machine => machine;

    public long Entries => entries;

    public int Repeat => repeat;

    public List<EngineMeasurement> Measurements { get; } = [];

    /// <summary>By engine: its settings.</summary>
    public SortedDictionary<string, IReadOnlyList<string>> Settings { get; } = [];

    /// <summary>By engine and group: why there is no figure.</summary>
    public SortedDictionary<string, string> Failures { get; } = [];

    /// <summary>Engines measured, in the order of <see cref="RunContext.Engines"/>.</summary>
    public IReadOnlyList<string> EnginesMeasured() => RunContext.Engines.Where(e => Measurements.Any(m => m.Engine == e)).ToList();

    public void Add(string engine, ChildResult result)
    {
        Settings[engine] = result.Notes;
        Measurements.AddRange(result.Measurements.Select(m => new EngineMeasurement(engine, m)));
    }

    public void Fail(string engine, string group, string reason) => Failures[$"{engine} {group}"] = reason;

    public bool HasFailed(string engine, string group) => Failures.ContainsKey($"{engine} {group}");

    /// <summary>By engine, the medians of one row.</summary>
    public IReadOnlyDictionary<string, Summary> Row(Workload workload) => Measurements
        .Where(m => m.Measurement.Workload == workload.Name)
        .GroupBy(m => m.Engine, m => m.Measurement)
        .ToDictionary(g => g.Key, g => Summary.Of([.. g]));

    /// <summary>Writes everything as JSON under <c>results</c> beside the caller's source file, or in the working directory where that is not; gives the path.</summary>
    public string Save([CallerFilePath] string caller = "")
    {
        var sources = Path.GetDirectoryName(caller)!;
        var directory = Directory.Exists(sources) ? Path.Combine(sources, "results") : "results";
        Directory.CreateDirectory(directory);
        var path = Path.GetFullPath(Path.Combine(directory, $"{At:yyyy-MM-dd-HHmmss}.json"));
        File.WriteAllText(path, JsonSerializer.Serialize(this, s_json) + "\n");
        return path;
    }
}
