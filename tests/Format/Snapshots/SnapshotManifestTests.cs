using FsCheck.Xunit;
using Varve.Format;
using Varve.Tests.Format.Records;
using ZstdSharp;

namespace Varve.Tests.Format.Snapshots;

public class SnapshotManifestTests
{
    [Fact]
    public void DamageIsHandled() => Survival.OfDamageTo(
        SnapshotManifestCodec.Encode(Samples.Manifest), bytes => SnapshotManifestCodec.TryDecode(bytes, out _, out _));

    [Fact]
    public void EveryFlippedBitIsRejected()
    {
        // The frame's checksum sees to it, but for bits of the frame that mean nothing.
        var file = SnapshotManifestCodec.Encode(Samples.Manifest);
        var text = Samples.Text(Samples.Manifest);
        for (var bit = 0; bit < file.Length * 8; bit++)
        {
            file[bit / 8] ^= (byte)(1 << (bit % 8));
            if (SnapshotManifestCodec.TryDecode(file, out var manifest, out _))
                Assert.Equal(text, Samples.Text(manifest));
            file[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void SecondFrameIsRejected() =>
        Rejected("zstd frame has bytes after it", [.. Header(1), .. Frame([7]), .. Frame([])]);

    [Fact]
    public void SkippableFrameIsRejected() =>
        Rejected("zstd magic is missing", [.. Header(0), 0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0]);

    [Fact]
    public void LengthOverCapIsRejected() =>
        Rejected("payload is longer than 32 MiB", Header(SnapshotManifestCodec.PayloadLengthMax + 1));

    [Fact]
    public void LengthUnlikeFramesIsRejectedBeforeAllocation()
    {
        byte[] file = [.. Header(SnapshotManifestCodec.PayloadLengthMax), .. Frame([7])];
        Assert.False(Survival.Bounded(file, bytes => SnapshotManifestCodec.TryDecode(bytes, out _, out _)));
        Rejected("length is not that of the zstd frame", file);
    }

    [Fact]
    public void DecompressionBombIsRejectedBeforeAllocation()
    {
        var bomb = Frame(new byte[SnapshotManifestCodec.PayloadLengthMax + 1]);
        byte[] file = [.. Header(SnapshotManifestCodec.PayloadLengthMax), .. bomb];
        Assert.False(Survival.Bounded(file, bytes => SnapshotManifestCodec.TryDecode(bytes, out _, out _)));
    }

    [Fact]
    public void BombWithinCapIsDecompressedAndRejected() =>
        Rejected("machine state of version 0 (this build reads 1)", [.. Header(1 << 20), .. Frame(new byte[1 << 20])]);

    [Fact]
    public void OtherVersionIsDistinguishedFromDamage()
    {
        var file = SnapshotManifestCodec.Encode(Samples.Manifest);
        file[8] = 2;
        Assert.False(SnapshotManifestCodec.TryDecode(file, out _, out var damage));
        Assert.StartsWith("checksum mismatch (stored ", damage.Reason, StringComparison.Ordinal);
        BitConverter.TryWriteBytes(file.AsSpan(24), System.IO.Hashing.XxHash3.HashToUInt64(file.AsSpan(0, 24)));
        Rejected("snapshot manifest of version 2 (this build reads 1)", file);
    }

    [Fact]
    public void TablesOutOfOrderAreNotWritten()
    {
        var other = Samples.Table with { OriginNumber = 8 };
        Refused(new AddedTable(1, Samples.Table), new AddedTable(2, other));
        Refused(new AddedTable(2, Samples.Table), new AddedTable(2, other));
        Refused(
            new AddedTable(2, Samples.Table),
            new AddedTable(2, other with { SmallestKey = "pear"u8.ToArray(), LargestKey = "plum"u8.ToArray() }));
        Refused(
            new AddedTable(2, Samples.Table),
            new AddedTable(2, other with { SmallestKey = "a"u8.ToArray(), LargestKey = "b"u8.ToArray() }));
    }

    [Fact]
    public void DuplicateTableIsRefused() =>
        Refused(new AddedTable(2, Samples.Table), new AddedTable(1, Samples.Table with { Number = 77 }));

    [Fact]
    public void TablesOutOfOrderAreRejected()
    {
        var payload = SnapshotManifestCodec.EncodePayload(Samples.Manifest);
        var order = 16 + MachineStateCodec.Encode(Samples.State).Length + 4;
        payload[order] = 0;
        Rejected("runs are not newest first", [.. Header(payload.Length), .. Frame(payload)]);
        payload[order] = 1;
        Rejected("tables of a run overlap or are out of order", [.. Header(payload.Length), .. Frame(payload)]);
    }

    [Fact]
    public void NamesAreDerivedFromNumberAndHash()
    {
        Assert.Equal("000000000007-0123456789abcdeffedcba9876543210.vtab", SnapshotNames.Table(Samples.Table));
        Assert.Equal(
            "18446744073709551615-00000000000000000000000000000000.vtab",
            SnapshotNames.Table(Samples.Table with { OriginNumber = ulong.MaxValue, Hash = 0 }));
    }

    [Property(Arbitrary = [typeof(Seeds)], MaxTest = 200)]
    public void FramesAreMeasuredWithoutDecompressing(Seed seed)
    {
        var random = seed.NewRandom();
        var content = new byte[random.Next(4) switch
        {
            0 => random.Next(300),
            1 => random.Next(70_000),
            2 => 0,
            _ => random.Next(1_000_000)
        }];
        random.NextBytes(content.AsSpan(0, random.Next(content.Length + 1)));
        using var compressor = new Compressor(random.Next(1, 6));
        compressor.SetParameter(ZstdSharp.Unsafe.ZSTD_cParameter.ZSTD_c_checksumFlag, random.Next(2));
        var frame = compressor.Wrap(content).ToArray();
        byte[] tail = [.. frame, 1, 2, 3];
        Assert.True(ZstdFrame.TryMeasure(tail, out var frameLength, out var contentLength, out _));
        Assert.Equal((frame.Length, (ulong)content.Length), (frameLength, contentLength));
        Assert.False(ZstdFrame.TryMeasure(frame.AsSpan(0, random.Next(frame.Length)), out _, out _, out _));
    }

    private static byte[] Header(int length) => SnapshotManifestCodec.EncodeHeader(length);

    private static byte[] Frame(byte[] content)
    {
        using var compressor = new Compressor();
        return compressor.Wrap(content).ToArray();
    }

    private static void Rejected(string reason, byte[] file)
    {
        Assert.False(SnapshotManifestCodec.TryDecode(file, out _, out var error));
        Assert.Equal(reason, error.Reason);
    }

    private static void Refused(params AddedTable[] tables) =>
        Assert.Throws<ArgumentException>(() => SnapshotManifestCodec.Encode(Samples.Manifest with { Tables = tables }));
}
