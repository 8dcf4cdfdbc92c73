using BenchmarkDotNet.Attributes;
using Varve.Format;
using Varve.Iterators;
using Varve.Memory;
using Varve.Storage;
using Varve.Tables;

namespace Varve.Bench.Micro.Tables;

/// <summary>
/// The merge of a compaction over runs of one table each, whose keys are interleaved at random; a row, its value
/// untouched.
/// </summary>
[MemoryDiagnoser]
public class MergeBench
{
    private const int Rows = 400_000;
    private const int ValueBytes = 100;

    private readonly string _directory = Path.Combine(AppContext.BaseDirectory, "merge-bench");
    private Table[][] _runs = null!;

    [Params(2, 6)]
    public int Runs { get; set; }

    [GlobalSetup]
    public void Write()
    {
        Directory.CreateDirectory(_directory);
        _runs = [.. Enumerable.Range(0, Runs).Select(run => new[] { WriteTable(run) })];
    }

    [GlobalCleanup]
    public void Delete()
    {
        foreach (var run in _runs) run[0].Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Benchmark(OperationsPerInvoke = Rows)]
    public int Merge()
    {
        using var merge = new CompactionMerge(_runs, TestHash.Seed);
        var rows = 0;
        while (merge.MoveNext(out RowRef row))
            rows += row.Kind == RecordKind.Put ? 1 : 0;
        return rows == Rows / Runs * Runs ? rows : throw new InvalidOperationException("Rows are missing.");
    }

    private Table WriteTable(int run)
    {
        var count = Rows / Runs;
        byte[] keys = SampleRows.SortedKeys(count, seed: run), value = new byte[ValueBytes];
        var path = Path.Combine(_directory, $"{run:D12}.vtab");
        var storage = Storages.Default;
        using var file = storage.Open(path, FileIntent.CreateNew);
        using var writer = new TableWriter(file, Guid.Empty, (ulong)run + 1, TestHash.Seed, 8192, 10);
        for (var i = 0; i < count; i++)
            writer.Add(keys.AsSpan(i * SampleRows.KeyBytes, SampleRows.KeyBytes), RecordKind.Put, 0, value);
        return Table.Open(storage, path, writer.Finish(), paranoid: false);
    }
}
