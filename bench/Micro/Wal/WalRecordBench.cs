using BenchmarkDotNet.Attributes;
using Varve.Format;

namespace Varve.Bench.Micro.Wal;

/// <summary>
/// The cost of an append to the WAL: 100 operations of 16-byte keys and 100-byte values copied into a record, and its
/// checksum; an operation.
/// </summary>
[MemoryDiagnoser]
public class WalRecordBench
{
    private const int Operations = 100;
    private const int KeyBytes = 16;
    private const int ValueBytes = 100;
    private const ulong Salt = 42;

    private readonly byte[] _entries = new byte[Operations * (KeyBytes + ValueBytes)];
    private readonly byte[] _record =
        new byte[WalRecordHeader.Size + Operations * (int)WalOperation.SizeOf(KeyBytes, ValueBytes, RecordKind.Put)];

    private WalRecordHeader Header => new()
    {
        Offset = WalSegmentHeader.Size,
        Length = _record.Length,
        FirstIndex = 1,
        LastIndex = Operations,
        Term = 1,
        EntryCount = Operations,
        OperationCount = Operations,
        Type = WalRecordType.Chunk,
    };

    [GlobalSetup]
    public void Fill()
    {
        new Random(42).NextBytes(_entries);
        CopyAndSeal();
        if (!Verify()) throw new InvalidOperationException("The record is not read back.");
    }

    [Benchmark(OperationsPerInvoke = Operations)]
    public void CopyAndSeal()
    {
        var at = WalRecordHeader.Size;
        for (var i = 0; i < Operations; i++)
        {
            ReadOnlySpan<byte> entry = _entries.AsSpan(i * (KeyBytes + ValueBytes), KeyBytes + ValueBytes);
            at += (int)WalOperation.Write(
                _record.AsSpan(at), (ulong)i + 1, default, RecordKind.Put, entry[..KeyBytes], entry[KeyBytes..], 0);
        }
        Header.Finish(_record, Salt);
    }

    [Benchmark(OperationsPerInvoke = Operations)]
    public void Finish() => Header.Finish(_record, Salt);

    /// <summary>Like recovery.</summary>
    [Benchmark(OperationsPerInvoke = Operations)]
    public bool Verify() => WalRecordHeader.TryRead(_record, WalSegmentHeader.Size, Salt, out _, out _);
}
