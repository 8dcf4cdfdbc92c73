using BenchmarkDotNet.Attributes;
using Varve.Format;
using Varve.Memory;
using Varve.Tables;

namespace Varve.Bench.Micro.Tables;

/// <summary>
/// One data block of as many rows as it may have (16-byte keys, 100-byte values) in the processor's caches: written,
/// validated, searched; a row.
/// </summary>
[MemoryDiagnoser]
public unsafe class BlockBench
{
    private const int Rows = DataBlockHeader.RowsMax;
    private const int ValueBytes = 100;
    private const ulong Salt = 42;

    private readonly DataBlockRow[] _rows = new DataBlockRow[Rows];
    private readonly ulong[] _hashes = new ulong[Rows];
    private readonly NativeBuffer _block = new();
    private byte[] _bytes = null!;
    private int _length;

    private Span<byte> Destination =>
        _block.Reserve((int)DataBlock.ExtentMax(Rows, Rows * SampleRows.KeyBytes, Rows * ValueBytes));

    [GlobalSetup]
    public void Fill()
    {
        _bytes = [.. SampleRows.SortedKeys(Rows, seed: 1), .. new byte[Rows * ValueBytes]];
        for (var i = 0; i < Rows; i++)
        {
            _hashes[i] = TestHash.Of(Key(i));
            _rows[i] = new DataBlockRow(
                i * SampleRows.KeyBytes, SampleRows.KeyBytes, Rows * SampleRows.KeyBytes + i * ValueBytes, ValueBytes,
                RecordKind.Put, 0, DataBlock.TagOf(_hashes[i]));
        }
        _length = Encode();
        if (!Validate() || Get() != Rows * (Rows - 1) / 2 || Seek() != Get())
            throw new InvalidOperationException("The block does not find its rows.");
    }

    [GlobalCleanup]
    public void Free() => _block.Dispose();

    [Benchmark(OperationsPerInvoke = Rows)]
    public int Encode() => DataBlock.Encode(_rows, _bytes, Destination, Salt, 0);

    [Benchmark(OperationsPerInvoke = Rows)]
    public bool Validate() => DataBlock.TryValidate(_block.Slice(0, _length).Span, Salt, 0, out _);

    [Benchmark(OperationsPerInvoke = Rows)]
    public int Get()
    {
        var view = new DataBlockView(_block.Address, _block.Address);
        var sum = 0;
        for (var i = 0; i < Rows; i++)
            sum += view.RowOf(Key(i), _hashes[i]);
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Rows)]
    public int Seek()
    {
        var view = new DataBlockView(_block.Address, _block.Address);
        var sum = 0;
        for (var i = 0; i < Rows; i++)
            sum += view.LowerBound(Key(i));
        return sum;
    }

    private ReadOnlySpan<byte> Key(int i) => _bytes.AsSpan(i * SampleRows.KeyBytes, SampleRows.KeyBytes);
}
