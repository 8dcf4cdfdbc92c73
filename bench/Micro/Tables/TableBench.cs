using System.Buffers.Binary;
using BenchmarkDotNet.Attributes;
using Varve.Format;
using Varve.Storage;
using Varve.Tables;

namespace Varve.Bench.Micro.Tables;

/// <summary>
/// One table of 16-byte random keys and 100-byte values, warm: gets, seeks, scans, the filter, and the check of a
/// block.
/// </summary>
[MemoryDiagnoser]
public class TableBench
{
    private const int Batch = 4096;
    private const int KeyBytes = 16;

    private readonly string _directory = Path.Combine(AppContext.BaseDirectory, "table-bench");
    private Table _table = null!;
    private TableDescriptor _descriptor = null!;
    private byte[] _present = null!;
    private byte[] _absent = null!;
    private int _offset;

    [Params(100_000, 2_000_000)]
    public int Rows { get; set; }

    private string TablePath => Path.Combine(_directory, "000000000001.vtab");

    [GlobalSetup]
    public void Write()
    {
        Directory.CreateDirectory(_directory);
        var random = new Random(42);
        byte[] keys = new byte[Rows * KeyBytes], value = new byte[100];
        random.NextBytes(keys);
        random.NextBytes(value);
        var order = Enumerable.Range(0, Rows).ToArray();
        var heads = order.Select(i => BinaryPrimitives.ReadUInt64BigEndian(keys.AsSpan(i * KeyBytes))).ToArray();
        Array.Sort(heads, order);

        var storage = Storages.Default;
        storage.Delete(TablePath);
        using (var file = storage.Open(TablePath, FileIntent.CreateNew))
        {
            using var writer = new TableWriter(file, Guid.Empty, 1, TestHash.Seed, 8192, 10);
            foreach (var i in order)
                writer.Add(keys.AsSpan(i * KeyBytes, KeyBytes), RecordKind.Put, 0, value);
            _descriptor = writer.Finish();
        }
        _table = Table.Open(storage, TablePath, _descriptor, paranoid: false);

        _present = new byte[256 * Batch * KeyBytes];
        _absent = new byte[_present.Length];
        random.NextBytes(_absent);
        for (var i = 0; i < _present.Length; i += KeyBytes)
            keys.AsSpan(random.Next(Rows) * KeyBytes, KeyBytes).CopyTo(_present.AsSpan(i));
    }

    [GlobalCleanup]
    public void Delete()
    {
        _table.Dispose();
        Storages.Default.Delete(TablePath);
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public long GetPresent()
    {
        long sum = 0;
        var keys = NextBatch(_present);
        for (var i = 0; i < Batch; i++)
        {
            var key = keys.Slice(i * KeyBytes, KeyBytes);
            sum += _table.Find(key, TestHash.Of(key)).Value[0];
        }
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public int GetAbsent()
    {
        var found = 0;
        var keys = NextBatch(_absent);
        for (var i = 0; i < Batch; i++)
        {
            var key = keys.Slice(i * KeyBytes, KeyBytes);
            found += _table.Find(key, TestHash.Of(key)).Exists ? 1 : 0;
        }
        return found;
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public ulong Seek()
    {
        ulong sum = 0;
        var keys = NextBatch(_present);
        var cursor = new TableCursor(_table);
        for (var i = 0; i < Batch; i++)
        {
            cursor.Seek(keys.Slice(i * KeyBytes, KeyBytes));
            sum += cursor.Head8;
        }
        return sum;
    }

    [Benchmark(OperationsPerInvoke = 100_000)]
    public unsafe long Scan()
    {
        byte* buffer = stackalloc byte[KeyBytes + 16];
        nint token = 0;
        long sum = 0;
        var cursor = new TableCursor(_table);
        cursor.SeekFirst();
        for (var i = 0; i < 100_000; i++, cursor.MoveNext())
            sum += cursor.CopyKeyTo(buffer, ref token) + cursor.Row.Value[0];
        return sum;
    }

    /// <summary>The whole table: hash, every block, order, a lookup of every row.</summary>
    [Benchmark]
    public void OpenAndVerify()
    {
        using var opened = Table.Open(Storages.Default, TablePath, _descriptor, paranoid: false);
        opened.Verify();
    }

    /// <summary>
    /// Each batch is another part of the keys, so that the caches hold the index and not the answers.
    /// </summary>
    private ReadOnlySpan<byte> NextBatch(byte[] keys)
    {
        _offset = (_offset + Batch * KeyBytes) % keys.Length;
        return keys.AsSpan(_offset, Batch * KeyBytes);
    }
}
