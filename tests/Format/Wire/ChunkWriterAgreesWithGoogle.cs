using System.Buffers;
using FsCheck.Xunit;
using Varve.Format;

namespace Varve.Tests.Format.Wire;

[Properties(Arbitrary = [typeof(EntryShapes), typeof(Seeds)], MaxTest = 1_000)]
public class ChunkWriterAgreesWithGoogle
{
    [Property]
    public void BytesEqualGoogles(EntryShape shape)
    {
        if (shape.EncodeByOurs() is { } ours) Assert.Equal(EntryShape.EncodeByGoogle([shape]), ours);
    }

    [Property]
    public void VarintsRoundTrip(Seed seed, byte shift)
    {
        var value = ((ulong)seed.Value * 0x9E37_79B9_7F4A_7C15) >> (shift & 63);
        Span<byte> bytes = stackalloc byte[WireVarint.SizeMax + 8];
        var size = WireVarint.Write(bytes, value);
        Assert.Equal(WireVarint.SizeOf(value), size);
        foreach (var source in (int[])[size, bytes.Length])
        {
            var position = 0;
            Assert.True(WireVarint.TryRead(bytes[..source], ref position, out var read));
            Assert.Equal((value, size), (read, position));
        }
    }

    [Fact]
    public void EntriesAreAppendedInOrder()
    {
        var buffer = new ArrayBufferWriter<byte>();
        WireWriter.WriteNoop(buffer, 1, 1);
        WireWriter.WriteInsert(buffer, 2, 1, "k"u8, "v"u8, ttlSeconds: 5, timestampMs: 9);
        WireWriter.WriteDelete(buffer, 3, 1, "k"u8);
        WireWriter.WriteCompareAndSwap(buffer, 4, 1, "k"u8, hasExpected: true, ""u8, "w"u8);
        var meanings = GoogleOracle.AssertSame(buffer.WrittenSpan)!;
        Assert.Equal([1UL, 2, 3, 4], meanings.Select(meaning => meaning.Index));
    }
}
