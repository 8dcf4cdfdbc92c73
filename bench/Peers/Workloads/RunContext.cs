using Varve.Bench.Peers.Engines;

namespace Varve.Bench.Peers;

/// <summary>One child process: which engine, what to measure, where, and the measurements so far.</summary>
internal sealed class RunContext(string engineName, IReadOnlySet<string> workloads, long entries, string directory)
{
    private int _databases;

    public List<Measurement> Measurements { get; } = [];

    public IReadOnlyList<string> Notes { get; private set; } = [];

    public long Entries => entries;

    public bool Wants(string workload) => workloads.Contains(workload);

    public string NewPath() => Path.Combine(directory, $"{engineName}-{_databases++}");

    /// <summary>Opens the engine in a fresh directory.</summary>
    public IBenchEngine Open(bool durable, out string path)
    {
        path = NewPath();
        Directory.CreateDirectory(path);
        var engine = Create(engineName);
        Notes = engine.Notes;
        engine.Open(path, new EngineSettings(durable));
        return engine;
    }

    public static IBenchEngine Create(string name) => name switch
    {
        "varve" => new VarveEngine(),
        "rocksdb" => new RocksEngine(),
        "lmdb" => new LmdbEngine(),
        "zonetree" => new ZoneTreeEngine(),
        _ => throw new ArgumentException($"no engine '{name}'; there are {string.Join(", ", Engines)}"),
    };

    public static IReadOnlyList<string> Engines { get; } = ["varve", "rocksdb", "lmdb", "zonetree"];
}
