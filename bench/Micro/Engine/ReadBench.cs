using BenchmarkDotNet.Attributes;
using Varve.Bench.Micro.Reads;

namespace Varve.Bench.Micro.Engine;

/// <summary>Reads of a settled database of two million entries of 16 and 100 bytes, in random order.</summary>
[MemoryDiagnoser]
[ThreadingDiagnoser]
public class ReadBench
{
    private const int Entries = 2_000_000;
    private const int Gets = 1 << 20;
    private const int MultiKeys = 64;

    private readonly ReadWorkload _work = new(Entries, valueBytes: 100, Gets);
    private readonly ReadOnlyMemory<byte>[] _multi = new ReadOnlyMemory<byte>[MultiKeys];
    private EngineDirectory _directory = null!;
    private LsmStateMachine _engine = null!;
    private int _next;

    [GlobalSetup]
    public void Open()
    {
        _directory = new EngineDirectory();
        _engine = LsmStateMachine.Open(_directory.NewPath());
        _work.Fill(_engine);
        _engine.CompactAsync().GetAwaiter().GetResult();
    }

    [GlobalCleanup]
    public void Close()
    {
        _engine.Dispose();
        _directory.Dispose();
    }

    /// <summary>Reads where the value lies, in a view of its own.</summary>
    [Benchmark]
    public int Get() => Read(_work.Present);

    [Benchmark]
    public int GetAbsent() => Read(_work.Absent);

    /// <summary>One operation is 64 keys; what it allocates is the values.</summary>
    [Benchmark]
    public int GetMulti()
    {
        for (var i = 0; i < MultiKeys; i++)
            _multi[i] = _work.Present.AsMemory(Next() * ReadWorkload.KeyBytes, ReadWorkload.KeyBytes);
        return _engine.GetMulti(_multi).Length;
    }

    /// <summary>One operation is a prefix of 31 entries.</summary>
    [Benchmark]
    public int ScanPrefix()
    {
        var at = Next() % _work.Scans * ReadWorkload.PrefixBytes;
        var bytes = 0;
        using var view = _engine.OpenView();
        foreach (var entry in view.ScanPrefix(_work.Prefixes.AsSpan(at, ReadWorkload.PrefixBytes)))
            bytes += entry.Key.Length + entry.Value.Length;
        return bytes;
    }

    private int Read(byte[] keys)
    {
        var key = keys.AsSpan(Next() * ReadWorkload.KeyBytes, ReadWorkload.KeyBytes);
        using var view = _engine.OpenView();
        return view.TryGet(key, out var value) ? value[0] + value[^1] : -1;
    }

    private int Next() => _next++ & (Gets - 1);
}
