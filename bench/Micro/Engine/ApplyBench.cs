using BenchmarkDotNet.Attributes;
using Varve.Bench.Micro.Reads;

namespace Varve.Bench.Micro.Engine;

/// <summary>
/// Apply of a chunk of random 16-byte keys with 100-byte values; one operation is one chunk. Keys repeat after two
/// million, so the database stops growing while flushes and merges go on beside the applier.
/// </summary>
[MemoryDiagnoser]
[ThreadingDiagnoser]
public class ApplyBench
{
    private const int Keys = 2_000_000;
    private const int ValueBytes = 100;

    private readonly byte[] _value = new byte[ValueBytes];
    private EngineDirectory _directory = null!;
    private LsmStateMachine _engine = null!;
    private byte[] _keys = [];
    private ApplyEntry[] _chunk = [];
    private ApplyResult[] _results = [];
    private ulong _index;

    /// <summary>Entries a chunk.</summary>
    [Params(1, 100)]
    public int Entries { get; set; }

    [GlobalSetup]
    public void Open()
    {
        _keys = new ReadWorkload(Keys, ValueBytes, Keys).Present;
        _chunk = new ApplyEntry[Entries];
        _results = new ApplyResult[Entries];
        _directory = new EngineDirectory();
        _engine = LsmStateMachine.Open(_directory.NewPath());
        _index = 0;
    }

    [GlobalCleanup]
    public void Close()
    {
        _engine.Dispose();
        _directory.Dispose();
    }

    [Benchmark]
    public void ApplyChunk()
    {
        for (var i = 0; i < _chunk.Length; i++)
        {
            var at = (int)(_index++ % Keys) * ReadWorkload.KeyBytes;
            _chunk[i] = new ApplyEntry(_index, 1, Command.Insert(_keys.AsMemory(at, ReadWorkload.KeyBytes), _value));
        }

        _engine.ApplyChunk(_chunk, _results);
    }
}
