namespace Varve.Bench.Peers.Engines;

/// <summary>The engines by name.</summary>
internal static class BenchEngines
{
    public const string Varve = "varve";
    public const string Faster = "faster";

    public static IReadOnlyList<string> Names { get; } =
        [Varve, "rocksdb", "rocksdb-default", "lmdb", "zonetree", Faster];

    public static IBenchEngine Create(string name) => name switch
    {
        Varve => new VarveEngine(),
        "rocksdb" => new RocksEngine(defaults: false),
        "rocksdb-default" => new RocksEngine(defaults: true),
        "lmdb" => new LmdbEngine(),
        "zonetree" => new ZoneTreeEngine(),
        Faster => new FasterEngine(),
        _ => throw new ArgumentException($"no engine '{name}'; there are {string.Join(", ", Names)}"),
    };
}
