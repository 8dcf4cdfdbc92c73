using System.Buffers.Binary;
using Varve.Format;
using Xunit.Abstractions;

namespace Varve.Tests.Format.Tables;

/// <summary>
/// The codecs of a table take back what they wrote and survive everything else: spans are exact, so a read outside of
/// one is an exception, and an exception is a failed test.
/// </summary>
public class TableCodecTests(ITestOutputHelper output)
{
    private const ulong Salt = 42;
    private const int Seed = 4711;

    [Fact]
    public void BlockIsValidOnlyWhereItWasWritten()
    {
        var block = Block(fixedSizes: true);
        Assert.True(DataBlock.TryValidate(block, Salt, 128, out _));
        Assert.False(DataBlock.TryValidate(block, Salt, 192, out _));
        Assert.False(DataBlock.TryValidate(block, Salt + 1, 128, out _));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void FlippedOrTruncatedBlockIsInvalid(bool fixedSizes)
    {
        var block = Block(fixedSizes);
        for (var bit = 0; bit < block.Length * 8; bit++)
            Assert.False(DataBlock.TryValidate(Flip(block, bit), Salt, 128, out _));
        for (var length = 0; length < block.Length; length++)
            Assert.False(DataBlock.TryValidate(block[..length], Salt, 128, out _));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ShapeCheckOfAnyBlockNeverThrows(bool fixedSizes)
    {
        output.WriteLine($"seed {Seed}");
        var block = Block(fixedSizes);
        for (var length = 0; length <= block.Length; length++)
            DataBlockShape.TryValidate(block[..length], out _);
        for (var bit = 0; bit < block.Length * 8; bit++)
            DataBlockShape.TryValidate(Flip(block, bit), out _);
        var random = new Random(Seed);
        for (var i = 0; i < 20_000; i++)
            DataBlockShape.TryValidate(Edit(block, random), out _);
        for (var i = 0; i < 20_000; i++)
        {
            var noise = new byte[64 * random.Next(0, 12)];
            random.NextBytes(noise);
            if (noise.Length >= 16)
            {
                noise[12] %= 50;
                noise[13] &= 7;
                noise[14] = noise[15] = 0;
                BinaryPrimitives.WriteInt32LittleEndian(noise, noise.Length - random.Next(8, 72));
                BinaryPrimitives.WriteUInt16LittleEndian(noise.AsSpan(8), (ushort)random.Next(20));
            }
            DataBlockShape.TryValidate(noise, out _);
        }
    }

    [Fact]
    public void FooterRoundTripsAndOtherBytesAreRejected()
    {
        var footer = Footer(out long fileLength);
        var bytes = new byte[TableFooter.Bytes];
        footer.Encode(bytes);
        Assert.True(TableFooter.TryDecode(bytes, fileLength, out TableFooter? back, out _));
        Assert.Equal(footer, back);
        Assert.True(TableFooter.TryDecode([.. new byte[100], .. bytes], fileLength, out back, out _));
        Assert.Equal(footer, back);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
            Assert.False(TableFooter.TryDecode(Flip(bytes, bit), fileLength, out _, out _));
        for (var cut = 1; cut <= bytes.Length; cut++)
            Assert.False(TableFooter.TryDecode(bytes.AsSpan(cut), fileLength, out _, out _));
        Assert.False(TableFooter.TryDecode(bytes, fileLength + 64, out _, out _));
    }

    [Fact]
    public void FooterWithValidChecksumAndAnyRegionsIsHandled()
    {
        var footer = Footer(out long fileLength);
        var sound = new byte[TableFooter.Bytes];
        footer.Encode(sound);
        var random = new Random(Seed);
        long[] extremes = [0, 1, -1, 63, 64, long.MaxValue, long.MinValue, long.MaxValue
            - 63, int.MaxValue, fileLength, fileLength - 64];
        for (var i = 0; i < 50_000; i++)
        {
            byte[] bytes = [.. sound];
            for (var edits = random.Next(1, 4); edits > 0; edits--)
                BinaryPrimitives.WriteInt64LittleEndian(
                    bytes.AsSpan(8 * random.Next(2, 17)), extremes[random.Next(extremes.Length)]);
            BinaryPrimitives.WriteUInt64LittleEndian(
                bytes.AsSpan(^16..), System.IO.Hashing.XxHash3.HashToUInt64(bytes.AsSpan(..^16)));
            if (!TableFooter.TryDecode(bytes, fileLength, out TableFooter? back, out _)) continue;
            foreach (var region in new[] { back!.Leases, back.Filter, back.Index, back.Properties })
                Assert.True(region.Offset >= 0 && region.Length >= 0 && region.End <= fileLength);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(257)]
    public void IndexRoundTripsAndOtherBytesAreHandled(int blocks)
    {
        var index = Index(blocks);
        var data = blocks * 128L;
        Assert.True(TableIndex.TryValidate(index, data, out TableIndexShape? shape, out _));
        Assert.Equal(blocks, shape!.BlockCount);
        Assert.False(TableIndex.TryValidate(index, data + 64, out _, out _));
        for (var length = 0; length < index.Length; length++)
            Assert.False(TableIndex.TryValidate(index.AsSpan(0, length), data, out _, out _));
        var random = new Random(Seed);
        for (var i = 0; i < 5_000; i++)
            TableIndex.TryValidate(Edit(index, random), data, out _, out _);
    }

    [Fact]
    public void EverySeparatorIsInExactlyOneNode()
    {
        foreach (var blocks in new[] { 1, 2, 15, 16, 17, 255, 256, 257, 5000 })
        {
            var shape = new TableIndexShape(blocks);
            var seen = new HashSet<long>();
            for (var level = 0; level < shape.Levels; level++)
            {
                for (long node = 0; node < shape.NodeCount(level); node++)
                {
                    for (var slot = 0; slot < shape.SeparatorsIn(level, node); slot++)
                        Assert.True(seen.Add(TableIndexShape.SeparatorAt(level, node, slot)));
                }
            }
            Assert.Equal(blocks - 1, seen.Count);
        }
    }

    [Fact]
    public void SeparatorDividesItsTwoKeysAndIsShort()
    {
        Assert.Equal("b"u8, TableIndex.Separator("abc"u8, "bcd"u8));
        Assert.Equal("ab\0"u8, TableIndex.Separator("ab"u8, "ab\0"u8));
        Assert.Equal("abd"u8, TableIndex.Separator("abc"u8, "abdzzz"u8));
    }

    [Fact]
    public void PropertiesRoundTripAndOtherBytesAreHandled()
    {
        var properties = Properties();
        var bytes = new byte[properties.EncodedLength];
        properties.Encode(bytes);
        Assert.True(TableProperties.TryDecode(bytes, out TableProperties? back, out _));
        Assert.Equal(properties with { SmallestKey = back!.SmallestKey, LargestKey = back.LargestKey }, back);
        Assert.Equal("a"u8, back.SmallestKey);
        Assert.Equal("zebra"u8, back.LargestKey);
        for (var length = 0; length < bytes.Length; length++)
            Assert.False(TableProperties.TryDecode(bytes.AsSpan(0, length), out _, out _));
        for (var bit = 0; bit < bytes.Length * 8; bit++)
            TableProperties.TryDecode(Flip(bytes, bit), out _, out _);
    }

    [Fact]
    public void LeasesAreOrderedAndInBounds()
    {
        var bytes = Leases((5, 0, 1), (5, 0, 2), (5, 1, 0), (9, 0, 0));
        Assert.True(TableLeases.TryValidate(bytes, 2, out _));
        Assert.False(TableLeases.TryValidate(bytes, 1, out _));
        Assert.False(TableLeases.TryValidate(bytes.AsSpan(1), 2, out _));
        Assert.False(TableLeases.TryValidate(Leases((5, 0, 1), (5, 0, 1)), 2, out _));
        Assert.False(TableLeases.TryValidate(Leases((5, 0, 48)), 2, out _));
        Assert.Equal(
            [0, 0, 3, 3, 4, 4],
            new ulong[] { 0, 4, 5, 8, 9, ulong.MaxValue }.Select(t => TableLeases.CountUpTo(bytes, t)));
        for (var bit = 0; bit < bytes.Length * 8; bit++)
            TableLeases.TryValidate(Flip(bytes, bit), 2, out _);
    }

    [Fact]
    public void FilterNeverDeniesStoredKey()
    {
        var random = new Random(Seed);
        foreach (var count in new[] { 1, 10, 1000, 20_000 })
        {
            var filter = new byte[TableFilter.Length(count, 10)];
            ulong[] hashes = [.. Enumerable.Range(0, count).Select(_ => (ulong)random.NextInt64() * 3)];
            foreach (var hash in hashes)
                TableFilter.Add(filter, hash);
            foreach (var hash in hashes)
                Assert.True(TableFilter.MayContain(filter, hash));
        }
    }

    [Fact]
    public void FilterAnswersAlikeWithAndWithoutVectors()
    {
        var random = new Random(Seed);
        var line = new byte[64];
        for (var i = 0; i < 100_000; i++)
        {
            if (i % 100 == 0)
            {
                random.NextBytes(line);
                for (var k = 0; k < 64 && i % 200 == 0; k++)
                    line[k] |= 0xFE;
            }
            var hash = (ulong)random.NextInt64() * 5;
            Assert.Equal(
                TableFilter.LineMayContainScalar(ref line[0], hash), TableFilter.LineMayContain(ref line[0], hash));
        }
    }

    [Fact]
    public void KeyHeadsOrderLikeKeys()
    {
        var random = new Random(Seed);
        for (var i = 0; i < 10_000; i++)
        {
            byte[] a = new byte[random.Next(0, 12)], b = new byte[random.Next(0, 12)];
            random.NextBytes(a);
            a.AsSpan(0, random.Next(Math.Min(a.Length, b.Length) + 1)).CopyTo(b);
            var skip = random.Next(0, 14);
            ulong headA = KeyHead.Of(a, skip), headB = KeyHead.Of(b, skip);
            var order = a.AsSpan(Math.Min(skip, a.Length)).SequenceCompareTo(b.AsSpan(Math.Min(skip, b.Length)));
            if (headA != headB) Assert.Equal(headA < headB, order < 0);
        }
    }

    private static byte[] Block(bool fixedSizes)
    {
        var bytes = new List<byte>();
        var rows = new List<DataBlockRow>();
        for (var i = 0; i < 20; i++)
        {
            var key =
                System.Text.Encoding.ASCII.GetBytes(fixedSizes ? $"user/{i:D12}" : $"user/{i:D3}" + new string('x', i));
            var kind = fixedSizes ? RecordKind.Put : (RecordKind)(1 + i % 3);
            var value = new byte[kind == RecordKind.Tombstone ? 0 : fixedSizes ? 10 : i];
            rows.Add(new DataBlockRow(
                bytes.Count, (ushort)key.Length, bytes.Count + key.Length, value.Length, kind, 99,
                DataBlock.TagOf(TestHash.Of(key))));
            bytes.AddRange(key);
            bytes.AddRange(value);
        }
        var destination = new byte[DataBlock.ExtentMax(rows.Count, 0, bytes.Count)];
        var extent = DataBlock.Encode(rows.ToArray(), bytes.ToArray(), destination, Salt, 128);
        return destination[..extent];
    }

    private static byte[] Index(int blocks)
    {
        uint[] offsets = [.. Enumerable.Range(0, blocks + 1).Select(i => (uint)(2 * i))];
        uint[] separatorOffsets = [.. Enumerable.Range(0, blocks).Select(i => (uint)(4 * i))];
        byte[] separators = [.. Enumerable.Range(1, blocks - 1).SelectMany(
            i => System.Text.Encoding.ASCII.GetBytes($"{i:D4}"))];
        var index = new byte[TableIndex.Length(blocks, separators.Length)];
        TableIndex.Encode(index, new byte[64 * blocks], offsets, separatorOffsets, separators, "0000"u8, "9999"u8);
        return index;
    }

    private static TableFooter Footer(out long fileLength)
    {
        var footer = new TableFooter
        {
            Origin = new Guid("00112233-4455-6677-8899-aabbccddeeff"),
            OriginNumber = 7,
            DataLength = 640,
            Leases = new TableRegion(640, 16, 1),
            Filter = new TableRegion(704, 64, 2),
            Index = new TableRegion(768, 300, 3),
            Properties = new TableRegion(1088, 60, 4),
            HashSeed = TestHash.Seed,
        };
        fileLength = footer.Offset + TableFooter.Bytes;
        return footer;
    }

    private static TableProperties Properties() => new()
    {
        RowCount = 10,
        TombstoneCount = 3,
        LeaseCount = 2,
        BlockCount = 2,
        SmallestDeadline = 5,
        LargestDeadline = 6,
        SmallestKey = "a"u8.ToArray(),
        LargestKey = "zebra"u8.ToArray(),
    };

    private static byte[] Leases(params (ulong Deadline, uint Block, byte Row)[] leases)
    {
        var bytes = new byte[leases.Length * TableLeases.EntryBytes];
        for (var i = 0; i < leases.Length; i++)
            TableLeases.Write(
                bytes.AsSpan(i * TableLeases.EntryBytes),
                new TableLease(leases[i].Deadline, leases[i].Block, leases[i].Row));
        return bytes;
    }

    private static byte[] Flip(byte[] bytes, int bit)
    {
        byte[] flipped = [.. bytes];
        flipped[bit / 8] ^= (byte)(1 << bit % 8);
        return flipped;
    }

    private static byte[] Edit(byte[] bytes, Random random)
    {
        byte[] edited = [.. bytes];
        for (var edits = random.Next(1, 6); edits > 0; edits--)
            edited[random.Next(random.Next(3) == 0 ? Math.Min(64, edited.Length) : edited.Length)] =
                (byte)(random.Next(3) == 0 ? 255 : random.Next(256));
        return edited;
    }
}
