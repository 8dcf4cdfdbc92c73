using BenchmarkDotNet.Attributes;
using Varve.Format;

namespace Varve.Bench.Micro.Wire;

/// <summary>Hashes: of a key, as every operation needs one, and the checksum of bytes of a table or a record.</summary>
[MemoryDiagnoser]
public class ChecksumBench
{
    private byte[] _bytes = null!;

    [Params(16, 136, 8 << 10, 1 << 20)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _bytes = new byte[Bytes];
        new Random(42).NextBytes(_bytes);
    }

    [Benchmark]
    public ulong Key() => TestHash.Of(_bytes);

    [Benchmark]
    public ulong Checksum() => TableChecksum.Of(_bytes, salt: 42, fileOffset: 4096);
}
