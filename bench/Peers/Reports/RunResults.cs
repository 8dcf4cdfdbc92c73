using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers.Reports;

/// <summary>
/// The raw results of several runs as one report. A row is a comparison within one run, so all its figures are of one:
/// of those that have most engines of it, the newest. A row that is measured again so takes the place of the older one,
/// unless the new run was broken off in the middle of it.
/// </summary>
internal sealed class RunResults
{
    private static readonly IReadOnlyDictionary<string, Summary> None = new Dictionary<string, Summary>();
    private readonly Dictionary<string, RunResult> _byRow = [];

    private RunResults(IEnumerable<RunResult> runs)
    {
        var sorted = runs.OrderBy(r => r.At).ToList();
        foreach (var workload in Rows.All)
        {
            var best = sorted.MaxBy(r => (r.Row(workload).Count, r.At))!;
            if (best.Row(workload).Count > 0) _byRow[workload.Name] = best;
        }

        Runs = sorted.Where(_byRow.ContainsValue).ToList();
        Engines = BenchEngines.Names.Where(e => Rows.All.Any(w => Row(w).ContainsKey(e))).ToList();
        foreach (var run in sorted)
        {
            foreach (var (engine, notes) in run.Settings) Settings[engine] = notes;
            foreach (var (engine, group) in BenchEngines.Names.SelectMany(e => Rows.Groups.Select(g => (e, g.Name))))
            {
                if (run.HasMeasured(engine, group)) Failures.Remove($"{engine} {group}");
                if (run.Failures.TryGetValue($"{engine} {group}", out var reason))
                    Failures[$"{engine} {group}"] = reason;
            }
        }
    }

    /// <summary>The runs that any row is of, oldest first.</summary>
    public IReadOnlyList<RunResult> Runs { get; }

    /// <summary>Engines measured, in the order of <see cref="BenchEngines.Names"/>.</summary>
    public IReadOnlyList<string> Engines { get; }

    /// <summary>By engine: its settings.</summary>
    public SortedDictionary<string, IReadOnlyList<string>> Settings { get; } = [];

    /// <summary>By engine and group: why there is no figure, where no later run has one.</summary>
    public SortedDictionary<string, string> Failures { get; } = [];

    public static RunResults Of(RunResult run) => new([run]);

    /// <param name="paths">Files, or directories of which every JSON file is taken.</param>
    /// <exception cref="ArgumentException">There is nothing in them, or they are of different machines.</exception>
    public static RunResults Load(IEnumerable<string> paths)
    {
        var files = paths.SelectMany(p => Directory.Exists(p) ? Directory.GetFiles(p, "*.json") : [p]).ToList();
        if (files.Count == 0) throw new ArgumentException("no raw results there");
        var runs = files.Select(RunResult.Load).ToList();
        var machine = runs[0].Machine;
        if (files.Zip(runs).FirstOrDefault(r => !r.Second.Machine.IsLike(machine)) is (not null, _) other)
            throw new ArgumentException($"'{files[0]}' and '{other.First}' are of different machines");
        return new(runs);
    }

    /// <summary>By engine, the medians of one row; nothing when it was not measured.</summary>
    public IReadOnlyDictionary<string, Summary> Row(Workload workload) =>
        _byRow.TryGetValue(workload.Name, out var run) ? run.Row(workload) : None;

    /// <summary>The round of a row that stands for all; null when it was not measured.</summary>
    public Measurement? Typical(Workload workload, string engine) =>
        _byRow.TryGetValue(workload.Name, out var run) ? run.Typical(workload, engine) : null;

    /// <summary>The value of <c>--entries</c> when a row was measured.</summary>
    public long EntriesOf(Workload workload) => _byRow[workload.Name].Entries;

    /// <summary>Which of <see cref="Runs"/> a row is of, from 1.</summary>
    public int NumberOf(Workload workload) => Runs.ToList().IndexOf(_byRow[workload.Name]) + 1;

    public string TitleOf(Workload workload) => workload.TitleFor(EntriesOf(workload));
}
