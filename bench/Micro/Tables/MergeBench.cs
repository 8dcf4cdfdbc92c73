using BenchmarkDotNet.Attributes;
using Varve.Format;
using Varve.Iterators;
using Varve.Storage;
using Varve.Tables;

namespace Varve.Bench.Micro.Tables;

/// <summary>The merge of a compaction over runs of one table each, whose keys are interleaved at random; a row, its value untouched.</summary>
[MemoryDiagnoser]
public class MergeBench
{
    private const int Rows = 400_000;
    private const int ValueBytes = 100;

    private readonly string directory = Path.Combine(AppContext.BaseDirectory, "merge-bench");
    private Table[][] runs = null!;

    [Params(2, 6)]
    public int Runs { get; set; }

    [GlobalSetup]
    public void Write()
    {
        Directory.CreateDirectory(directory);
        runs = [.. Enumerable.Range(0, Runs).Select(run => new[] { WriteTable(run) })];
    }

    [GlobalCleanup]
    public void Delete()
    {
        foreach (Table[] run in runs) run[0].Dispose();
        Directory.Delete(directory, recursive: true);
    }

    [Benchmark(OperationsPerInvoke = Rows)]
    public int Merge()
    {
        using var merge = new CompactionMerge(runs, TestHash.Seed);
        int rows = 0;
        while (merge.MoveNext(out RowRef row))
            rows += row.Kind == RecordKind.Put ? 1 : 0;
        return rows == Rows / Runs * Runs ? rows : throw new InvalidOperationException("Rows are missing.");
    }

    private Table WriteTable(int run)
    {
        int count = Rows / Runs;
        byte[] keys = SampleRows.SortedKeys(count, seed: run), value = new byte[ValueBytes];
        string path = Path.Combine(directory, $"{run:D12}.vtab");
        IStorage storage = Storages.Default;
        using IStorageFile file = storage.Open(path, FileIntent.CreateNew);
        using var writer = new TableWriter(file, Guid.Empty, (ulong)run + 1, TestHash.Seed, 8192, 10);
        for (int i = 0; i < count; i++)
            writer.Add(keys.AsSpan(i * SampleRows.KeyBytes, SampleRows.KeyBytes), RecordKind.Put, 0, value);
        return Table.Open(storage, path, writer.Finish().Describe((ulong)run + 1), paranoid: false);
    }
}
