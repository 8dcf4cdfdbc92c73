using BenchmarkDotNet.Attributes;
using Varve.Bench.Micro.Reads;

namespace Varve.Bench.Micro.Engine;

/// <summary>What is done now and then: a snapshot, and an open after a clean close, of a million entries.</summary>
[MemoryDiagnoser]
[ThreadingDiagnoser]
public class StartBench
{
    private const int Entries = 1_000_000;

    private readonly ReadWorkload _work = new(Entries, valueBytes: 100, gets: 1);
    private EngineDirectory _directory = null!;
    private string _path = "";
    private LsmStateMachine? _engine;

    [GlobalSetup]
    public void Fill()
    {
        _directory = new EngineDirectory();
        _path = _directory.NewPath();
        using var engine = LsmStateMachine.Open(_path);
        _work.Fill(engine);
        engine.CompactAsync().GetAwaiter().GetResult();
    }

    [GlobalCleanup]
    public void Delete() => _directory.Dispose();

    [IterationSetup(Target = nameof(Snapshot))]
    public void OpenFirst() => _engine = LsmStateMachine.Open(_path);

    [IterationCleanup]
    public void Close()
    {
        _engine?.Dispose();
        _engine = null;
    }

    [Benchmark]
    public SnapshotMetadata Snapshot() => _engine!.CreateSnapshotAsync(_directory.NewPath()).GetAwaiter().GetResult();

    [Benchmark]
    public LsmStateMachine Open() => _engine = LsmStateMachine.Open(_path);
}
