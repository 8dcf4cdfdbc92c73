using System.Buffers;
using BenchmarkDotNet.Attributes;
using Varve.Format;

namespace Varve.Bench.Micro.Wire;

/// <summary>Decoding of a wire chunk of 100 inserts, an entry; the bytes are in the processor's caches.</summary>
[MemoryDiagnoser]
public class DecoderBench
{
    private const int Entries = 100;

    private byte[] _chunk = null!;

    [Params(100, 1_000)]
    public int ValueBytes { get; set; }

    [GlobalSetup]
    public void Encode()
    {
        var random = new Random(42);
        byte[] key = new byte[16], value = new byte[ValueBytes];
        var buffer = new ArrayBufferWriter<byte>();
        for (var i = 0; i < Entries; i++)
        {
            random.NextBytes(key);
            random.NextBytes(value);
            WireWriter.WriteInsert(buffer, (ulong)(1_000_000 + i), term: 7, key, value);
        }
        _chunk = buffer.WrittenSpan.ToArray();
    }

    [Benchmark(OperationsPerInvoke = Entries)]
    public int Decode()
    {
        var bytes = 0;
        var reader = new ChunkReader(_chunk);
        while (reader.TryRead(out WireEntry entry))
            bytes += entry.KeyLength + entry.ValueLength;
        return reader.AtEnd ? bytes : throw new InvalidOperationException("The chunk was not decoded to its end.");
    }
}
