using BenchmarkDotNet.Attributes;
using Varve.Format;

namespace Varve.Bench.Micro.Tables;

/// <summary>
/// The blocked filter at 10 bits a key: keys added, and keys probed that are not in it, by hash alone.
/// </summary>
[MemoryDiagnoser]
public class FilterBench
{
    private const int Batch = 4096;

    private byte[] _filter = null!;
    private ulong[] _hashes = null!;
    private int _next;

    [Params(400_000, 10_000_000)]
    public int Keys { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        var random = new Random(1);
        _filter = GC.AllocateArray<byte>((int)TableFilter.Length(Keys, 10), pinned: true);
        for (var i = 0; i < Keys; i++)
            TableFilter.Add(_filter, (ulong)random.NextInt64(long.MinValue, long.MaxValue));
        _hashes = new ulong[1 << 20];
        for (var i = 0; i < _hashes.Length; i++)
            _hashes[i] = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public int ProbeAbsent()
    {
        var found = 0;
        for (var i = 0; i < Batch; i++)
            found += TableFilter.MayContain(_filter, _hashes[_next = (_next + 1) & (_hashes.Length - 1)]) ? 1 : 0;
        return found;
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public void Add()
    {
        // The same few again and again: a filter that fills up would change what is measured.
        for (var i = 0; i < Batch; i++)
            TableFilter.Add(_filter, _hashes[i]);
    }
}
