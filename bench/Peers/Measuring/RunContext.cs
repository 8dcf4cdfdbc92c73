using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>One child process: which engine, what to measure, where, and the measurements so far.</summary>
internal sealed class RunContext(BenchArguments arguments, Group group)
{
    private readonly string _engine = arguments.ChildEngine!;
    private readonly HashSet<string> _wanted = arguments.Workloads.Select(w => w.Name).ToHashSet();
    private int _databases;
    private double? _pageSupply;

    public List<Measurement> Measurements { get; } = [];

    public IReadOnlyList<string> Notes { get; private set; } = [];

    public BenchArguments Arguments => arguments;

    public Group Group => group;

    /// <summary>Entries of the group's data set.</summary>
    public long Entries => group.EntriesOf(arguments.Entries);

    /// <summary>The name of one of the group's rows.</summary>
    public string Row(string row) => row + group.Suffix;

    public bool Wants(string row) => _wanted.Contains(Row(row));

    /// <summary>Measures a row if it is wanted.</summary>
    public Measurement? Measure(string row, Func<long> work) => Wants(row) ? Add(row, Meter.Run("", work)) : null;

    /// <summary>Adds what has been measured as a row, if it is wanted.</summary>
    public Measurement Add(string row, Measurement measurement)
    {
        measurement = measurement with { Workload = Row(row) };
        if (Wants(row)) Measurements.Add(measurement);
        return measurement;
    }

    /// <summary>
    /// Warms the supply of fresh pages for rows that write, unless the run wants it cold; the rows that are added from
    /// here on tell its rate.
    /// </summary>
    public void WarmPages(EntrySource source)
    {
        if (!arguments.ColdPages) _pageSupply = PageSupply.Warm(arguments.Data, source.UserBytes);
    }

    /// <summary>Adds a row that writes, with the rate of the page supply that it had.</summary>
    public Measurement AddWrites(string row, Measurement measurement)
    {
        if (_pageSupply is { } rate) measurement.Extra["page_supply_gb_s"] = rate;
        return Add(row, measurement);
    }

    /// <summary>Adds a row that is a figure rather than a time.</summary>
    public void AddFigure(string row, string name, double figure) =>
        Add(row, new Measurement("", 1, 1, 0, new Dictionary<string, double> { [name] = figure }));

    public string NewPath() => Path.Combine(arguments.Data, $"{_engine}-{_databases++}");

    /// <summary>Opens the engine in a fresh directory.</summary>
    public IBenchEngine Open(EngineSettings settings, out string path)
    {
        path = NewPath();
        Directory.CreateDirectory(path);
        return Open(settings, path);
    }

    /// <summary>Opens the engine in a directory that may hold its database.</summary>
    public IBenchEngine Open(EngineSettings settings, string path)
    {
        var engine = BenchEngines.Create(_engine);
        Notes = engine.Notes;
        engine.Open(path, settings);
        return engine;
    }

    /// <summary>An instance that is not opened.</summary>
    public IBenchEngine Closed() => BenchEngines.Create(_engine);
}
