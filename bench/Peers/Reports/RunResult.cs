using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Varve.Bench.Peers.Reports;

/// <summary>One measurement with the engine that it is of.</summary>
internal sealed record EngineMeasurement(string Engine, Measurement Measurement);

/// <summary>Everything that a run has measured: its raw results.</summary>
internal sealed class RunResult
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public DateTimeOffset At { get; init; } = TimeProvider.System.GetUtcNow();

    public required Machine Machine { get; init; }

    public required long Entries { get; init; }

    /// <summary>The options that say what was measured.</summary>
    public string Command { get; init; } = "";

    /// <summary>The duration of the run.</summary>
    public double Seconds { get; set; }

    /// <summary>By engine: its settings.</summary>
    public SortedDictionary<string, IReadOnlyList<string>> Settings { get; init; } = [];

    /// <summary>By engine and group: why there is no figure.</summary>
    public SortedDictionary<string, string> Failures { get; init; } = [];

    public List<EngineMeasurement> Measurements { get; init; } = [];

    public static RunResult Load(string path) =>
        JsonSerializer.Deserialize<RunResult>(File.ReadAllText(path))
        ?? throw new ArgumentException($"'{path}' holds no result");

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

    /// <summary>True if any row of a group has a figure of an engine.</summary>
    public bool HasMeasured(string engine, string group) =>
        Measurements.Any(m => m.Engine == engine && Rows.GroupOf(m.Measurement.Workload)?.Name == group);

    /// <summary>
    /// The round of a row whose rate is the median, or the next one below it: its curves stand for all.
    /// </summary>
    public Measurement? Typical(Workload workload, string engine)
    {
        var sorted = Measurements.Where(m => m.Engine == engine && m.Measurement.Workload == workload.Name)
            .Select(m => m.Measurement).OrderBy(m => m.PerSecond).ToList();
        return sorted.Count == 0 ? null : sorted[(sorted.Count - 1) / 2];
    }

    /// <summary>
    /// A file named by date under <c>results</c> beside the caller's source file, or in the working directory where
    /// those are not.
    /// </summary>
    public string UsualPath([CallerFilePath] string caller = "")
    {
        var sources = Path.GetDirectoryName(Path.GetDirectoryName(caller))!;
        return Path.GetFullPath(
            Path.Combine(Directory.Exists(sources) ? sources : ".", "results", $"{At:yyyy-MM-dd-HHmmss}.json"));
    }

    /// <summary>Writes everything as JSON; what was in the file before is there until all of it is.</summary>
    public void Save(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllText(path + ".new", ToJson());
        File.Move(path + ".new", path, overwrite: true);
    }

    /// <summary>Indented, but a line for each measurement: a long curve is not to be a page of numbers.</summary>
    private string ToJson()
    {
        var whole = JsonSerializer.SerializeToNode(this)!.AsObject();
        var measurements = (JsonArray)whole[nameof(Measurements)]!;
        whole.Remove(nameof(Measurements));
        var text = new StringBuilder(whole.ToJsonString(Indented)[..^1].TrimEnd());
        text.Append($",\n  \"{nameof(Measurements)}\": [\n    ");
        text.AppendJoin(",\n    ", measurements.Select(m => m!.ToJsonString()));
        return text.Append("\n  ]\n}\n").ToString();
    }
}
