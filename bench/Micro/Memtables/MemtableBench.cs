using BenchmarkDotNet.Attributes;
using Varve.Format;
using Varve.Memtables;

namespace Varve.Bench.Micro.Memtables;

/// <summary>
/// The memtable's index against one key a node; each figure is for one operation, hashing of the key included.
/// </summary>
[MemoryDiagnoser]
public unsafe class MemtableBench
{
    private const int Count = 400_000;
    private const int Chunk = 100;

    private MemtableWorkload _work = null!;
    private MemtableIndex _index = null!;
    private PlainSkiplist _plain = null!;
    private MemtableIndex? _emptyIndex;
    private PlainSkiplist? _emptyPlain;

    [GlobalSetup]
    public void Setup()
    {
        _work = new MemtableWorkload(Count);
        _index = new MemtableIndex(_work.Segment, new IndexMemory(_work.SegmentBytes));
        _plain = new PlainSkiplist(_work.Segment, Count);
        for (var i = 0; i < Count; i++)
        {
            _index.Insert(_work.References[i], _work.Hashes[i]);
            _plain.Insert(_work.References[i].Value);
        }
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _plain.Dispose();
        _index.Memory.Dispose();
        _work.Dispose();
    }

    [IterationSetup(Target = nameof(InsertChunksBlock))]
    public void SetupInsertBlock()
    {
        _emptyIndex = new MemtableIndex(_work.Segment, new IndexMemory(_work.SegmentBytes));
        _emptyIndex.Populate(Count);
    }

    [IterationCleanup(Target = nameof(InsertChunksBlock))]
    public void CleanupInsertBlock() => _emptyIndex!.Memory.Dispose();

    [IterationSetup(Target = nameof(InsertPlain))]
    public void SetupInsertPlain()
    {
        _emptyPlain = new PlainSkiplist(_work.Segment, Count);
        _emptyPlain.Populate();
    }

    [IterationCleanup(Target = nameof(InsertPlain))]
    public void CleanupInsertPlain() => _emptyPlain!.Dispose();

    [Benchmark(OperationsPerInvoke = Count)]
    public void InsertChunksBlock()
    {
        for (var from = 0; from < Count; from += Chunk)
        {
            for (var i = from; i < from + Chunk; i++) _emptyIndex!.Prefetch(_work.Hashes[i]);
            for (var i = from; i < from + Chunk; i++) _emptyIndex!.InsertExact(_work.References[i], _work.Hashes[i]);
            _emptyIndex!.InsertOrdered(_work.References.AsSpan(from, Chunk));
        }
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public void InsertPlain()
    {
        foreach (var reference in _work.References) _emptyPlain!.Insert(reference.Value);
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public uint GetPresentBlock()
    {
        var last = 0u;
        foreach (var i in _work.Order)
            last = _index.FindVisible(_work.Key(i), TestHash.Of(_work.Key(i)), ulong.MaxValue).Value;
        return last;
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public uint GetPresentPlain()
    {
        var last = 0u;
        foreach (var i in _work.Order) last = _plain.Find(_work.Key(i));
        return last;
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public uint GetAbsentBlock()
    {
        var last = 0u;
        for (var i = 0; i < Count; i++)
            last = _index.FindVisible(_work.AbsentKey(i), TestHash.Of(_work.AbsentKey(i)), ulong.MaxValue).Value;
        return last;
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public uint GetAbsentPlain()
    {
        var last = 0u;
        for (var i = 0; i < Count; i++) last = _plain.Find(_work.AbsentKey(i));
        return last;
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public bool SeekBlock()
    {
        var cursor = new MemtableCursor(_index);
        foreach (var i in _work.Order) cursor.Seek(_work.Key(i));
        return cursor.IsValid;
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public uint SeekPlain()
    {
        var last = 0u;
        foreach (var i in _work.Order) last = _plain.Seek(_work.Key(i));
        return last;
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public ulong ScanBlock()
    {
        var sum = 0UL;
        var cursor = new MemtableCursor(_index);
        for (var valid = cursor.SeekFirst(); valid; valid = cursor.MoveNext())
            sum += _index.OperationAt(cursor.Reference).Index;
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public ulong ScanPlain()
    {
        var sum = 0UL;
        for (var node = _plain.First; node != 0; node = _plain.Next(node))
            sum += _index.OperationAt(new OperationRef(_plain.OperationOf(node))).Index;
        return sum;
    }
}
