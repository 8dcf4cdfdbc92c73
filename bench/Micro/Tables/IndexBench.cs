using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Varve.Format;
using Varve.Memory;
using Varve.Tables;

namespace Varve.Bench.Micro.Tables;

/// <summary>The search tree of a table's index, keys in random order: which block has a key.</summary>
[MemoryDiagnoser]
public unsafe class IndexBench
{
    private const int Batch = 4096;

    private readonly NativeBuffer _memory = new();
    private TableIndexReader _reader;
    private byte[] _keys = null!;
    private int[] _order = null!;
    private int _next;

    [Params(1_000, 40_000)]
    public int Blocks { get; set; }

    [GlobalSetup]
    public void Encode()
    {
        _keys = SampleRows.SortedKeys(Blocks + 1, seed: 1);
        var separators = new List<byte>();
        var offsets = new uint[Blocks];
        var blockOffsets = Enumerable.Range(0, Blocks + 1).Select(i => (uint)i * 128).ToArray();
        for (var i = 1; i < Blocks; i++)
        {
            separators.AddRange(TableIndex.Separator(Key(i - 1), Key(i)));
            offsets[i] = (uint)separators.Count;
        }
        var index = _memory.Reserve((int)TableIndex.Length(Blocks, separators.Count));
        TableIndex.Encode(
            index, new byte[Blocks * DataBlockHeader.HeadsOffset], blockOffsets, offsets,
            CollectionsMarshal.AsSpan(separators), Key(0), Key(Blocks));
        _reader = new TableIndexReader(_memory.Address, new TableIndexShape(Blocks));
        _order = Enumerable.Range(0, Blocks).ToArray();
        new Random(2).Shuffle(_order);
        for (var i = 0; i < Blocks; i++)
            if (_reader.Find(Key(i)) != i) throw new InvalidOperationException("The index does not find its blocks.");
    }

    [GlobalCleanup]
    public void Free() => _memory.Dispose();

    [Benchmark(OperationsPerInvoke = Batch)]
    public long Find()
    {
        long sum = 0;
        for (var i = 0; i < Batch; i++)
        {
            sum += _reader.Find(Key(_order[_next]));
            if (++_next == _order.Length) _next = 0;
        }
        return sum;
    }

    private ReadOnlySpan<byte> Key(int i) => _keys.AsSpan(i * SampleRows.KeyBytes, SampleRows.KeyBytes);
}
