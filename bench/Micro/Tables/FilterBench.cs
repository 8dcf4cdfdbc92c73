using BenchmarkDotNet.Attributes;
using Varve.Format;

namespace Varve.Bench.Micro.Tables;

/// <summary>The blocked filter at 10 bits a key: keys added, and keys probed that are not in it, by hash alone.</summary>
[MemoryDiagnoser]
public class FilterBench
{
    private const int Batch = 4096;

    private byte[] filter = null!;
    private ulong[] hashes = null!;
    private int next;

    [Params(400_000, 10_000_000)]
    public int Keys { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        var random = new Random(1);
        filter = GC.AllocateArray<byte>((int)TableFilter.Length(Keys, 10), pinned: true);
        for (int i = 0; i < Keys; i++)
            TableFilter.Add(filter, (ulong)random.NextInt64(long.MinValue, long.MaxValue));
        hashes = new ulong[1 << 20];
        for (int i = 0; i < hashes.Length; i++)
            hashes[i] = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public int ProbeAbsent()
    {
        int found = 0;
        for (int i = 0; i < Batch; i++)
            found += TableFilter.MayContain(filter, hashes[next = (next + 1) & (hashes.Length - 1)]) ? 1 : 0;
        return found;
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public void Add()
    {
        // The same few again and again: a filter that fills up would change what is measured.
        for (int i = 0; i < Batch; i++)
            TableFilter.Add(filter, hashes[i]);
    }
}
