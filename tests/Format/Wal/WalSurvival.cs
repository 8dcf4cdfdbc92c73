using System.IO.Hashing;
using FsCheck.Xunit;
using Varve.Format;
using Varve.Tests.Format.Records;

namespace Varve.Tests.Format.Wal;

/// <summary>Decoders of the log answer any bytes, and damage under a checksum is always detected.</summary>
[Properties(Arbitrary = [typeof(Seeds)], MaxTest = 500)]
public class WalSurvival
{
    private static readonly WalRecordType[] Markers = [
        WalRecordType.Link, WalRecordType.Advance, WalRecordType.Clean, WalRecordType.Snapshot, WalRecordType.Sealed,
        WalRecordType.Mark];

    [Fact]
    public void RecordOfAnyTypeIsFoundWithoutChecksum()
    {
        var types = new List<WalRecordType>(Markers) { WalRecordType.Chunk };
        Assert.Equal(Enum.GetValues<WalRecordType>().Order(), types.Order());
        foreach (var record in AllRecords())
        {
            Assert.True(WalRecordHeader.MayBeAt(record, WalSamples.Offset, out var length));
            Assert.Equal(record.Length, length);
        }
    }

    [Fact]
    public void FlippedBitInSegmentHeaderIsDetected()
    {
        var page = new byte[WalSegmentHeader.Size];
        WalSamples.Segment.Encode(page);
        var header = page[..64];
        Assert.True(WalSegmentHeader.TryDecode(header, out var decoded, out _));
        Assert.Equal(WalSamples.Segment, decoded);
        EveryFlipIsNoticed(header, bytes => WalSegmentHeader.TryDecode(bytes, out _, out _));
        for (var length = 0; length < header.Length; length++)
            Assert.False(WalSegmentHeader.TryDecode(header.AsSpan(0, length), out _, out _));
    }

    [Fact]
    public void SegmentHeaderOfLaterVersionIsDistinguishedFromDamage()
    {
        var page = new byte[WalSegmentHeader.Size];
        WalSamples.Segment.Encode(page);
        page[8] = 2;
        Assert.False(WalSegmentHeader.TryDecode(page, out _, out var error));
        Assert.Equal((56L, false), (error.Offset, error.IsUnsupported));
        BitConverter.TryWriteBytes(page.AsSpan(56), XxHash3.HashToUInt64(page.AsSpan(0, 56)));
        Assert.False(WalSegmentHeader.TryDecode(page, out _, out error));
        Assert.Equal((8L, true), (error.Offset, error.IsUnsupported));
    }

    [Theory]
    [InlineData(4095)]
    [InlineData(-1)]
    [InlineData((1L << 35) + 1)]
    public void SegmentOfImpossibleLengthIsRefused(long length)
    {
        var page = new byte[WalSegmentHeader.Size];
        (WalSamples.Segment with { Length = length }).Encode(page);
        Assert.False(WalSegmentHeader.TryDecode(page, out _, out var error));
        Assert.Equal(48, error.Offset);
    }

    [Fact]
    public void FlippedBitInRecordIsDetected()
    {
        foreach (var record in AllRecords())
        {
            Assert.True(Reads(record));
            EveryFlipIsNoticed(record, Reads);
        }
    }

    [Fact]
    public void TruncatedRecordIsDetected()
    {
        foreach (var record in AllRecords())
            for (var length = 0; length < record.Length; length++) Assert.False(Reads(record.AsSpan(0, length)));
    }

    [Fact]
    public void BytesAfterRecordDoNotMatter()
    {
        foreach (var record in AllRecords()) Assert.True(Reads([.. record, 1, 2, 3]));
    }

    [Fact]
    public void RecordOfOtherOffsetOrSegmentIsRejected()
    {
        foreach (var record in AllRecords())
        {
            Assert.False(WalRecordHeader.TryRead(record, WalSamples.Offset + 8, WalSamples.Salt, out _, out var error));
            Assert.Equal(8, error.Offset);
            Assert.False(WalRecordHeader.TryRead(record, WalSamples.Offset, WalSamples.Salt + 1, out _, out error));
            Assert.Equal(0, error.Offset);
        }
    }

    [Fact]
    public void ZerosAreNoRecord()
    {
        var zeros = new byte[4096];
        Assert.False(WalRecordHeader.TryRead(zeros, 0, 0, out _, out _));
        Assert.False(Reads(zeros));
    }

    /// <summary>
    /// A checksum that matches says that somebody wrote it: another build, if this one does not write such records.
    /// </summary>
    [Theory]
    [InlineData(88, 1u)]
    [InlineData(88, 0xFFFF_FFF8u)]
    [InlineData(88, 4096u)]
    [InlineData(80, 0u)]
    [InlineData(80, 0xFFFF_FFFFu)]
    [InlineData(84, 5u)]
    [InlineData(40, 0xFFFF_FFFFu)]
    [InlineData(92, 0u)]
    [InlineData(92, 6u)]
    [InlineData(92, 0xFF01u)]
    [InlineData(92, 2u)]
    public void RecordOfImpossibleShapeIsRefusedDespiteChecksum(int at, uint value)
    {
        var record = WalSamples.ChunkRecord();
        BitConverter.TryWriteBytes(record.AsSpan(at), value);
        BitConverter.TryWriteBytes(record, XxHash3.HashToUInt64(record.AsSpan(8), unchecked((long)WalSamples.Salt)));
        Assert.False(WalRecordHeader.TryRead(record, WalSamples.Offset, WalSamples.Salt, out _, out var error));
        Assert.True(error.IsUnsupported, error.ToString());
    }

    [Property(MaxTest = 2_000)]
    public void AnyBytesAreRejectedAsRecord(byte[] bytes, long offset, ulong salt)
    {
        Assert.False(WalRecordHeader.TryRead(bytes, offset, salt, out _, out _));
        Assert.False(WalSegmentHeader.TryDecode(bytes, out _, out _));
        Assert.False(PointerFile.TryDecode(bytes, out _, out _));
        if (WalOperation.TryMeasure(bytes, out var size, out _))
            Assert.InRange(size, WalOperation.HeaderSize + 1, bytes.Length);
    }

    [Fact]
    public void FlippedBitInPointerFileIsDetected()
    {
        var pointer = new PointerFile(Samples.DatabaseId, 3);
        var bytes = pointer.Encode();
        Assert.True(PointerFile.TryDecode(bytes, out var decoded, out _));
        Assert.Equal(pointer, decoded);
        EveryFlipIsNoticed(bytes, damaged => PointerFile.TryDecode(damaged, out _, out _));
        Survival.OfDamageTo(bytes, damaged => PointerFile.TryDecode(damaged, out _, out _));
    }

    [Fact]
    public void PointerFileOfLaterVersionIsDistinguishedFromDamage()
    {
        var bytes = new PointerFile(Samples.DatabaseId, 3).Encode();
        bytes[8] = 2;
        Assert.False(PointerFile.TryDecode(bytes, out _, out var error));
        Assert.Equal((40L, false), (error.Offset, error.IsUnsupported));
        BitConverter.TryWriteBytes(bytes.AsSpan(40), XxHash3.HashToUInt64(bytes.AsSpan(0, 40)));
        Assert.False(PointerFile.TryDecode(bytes, out _, out error));
        Assert.Equal((8L, true), (error.Offset, error.IsUnsupported));
    }

    [Property]
    public void DamagedOperationsStayWithinTheirBytes(Seed seed)
    {
        var random = seed.NewRandom();
        var kind = (RecordKind)random.Next(1, 4);
        var key = new byte[random.Next(1, 40)];
        var value = new byte[kind == RecordKind.Tombstone ? 0 : random.Next(40)];
        var bytes = new byte[WalOperation.SizeOf(key.Length, value.Length, kind)];
        Assert.Equal(bytes.Length, WalOperation.Write(bytes, 5, default, kind, key, value, 77));
        Assert.True(WalOperation.TryMeasure(bytes, out var size, out _));
        Assert.Equal(bytes.Length, size);
        for (var length = 0; length < bytes.Length; length++)
            Assert.False(WalOperation.TryMeasure(bytes.AsSpan(0, length), out _, out _));
        Survival.OfDamageTo(
            bytes, damaged => WalOperation.TryMeasure(damaged, out var measured, out _) && measured <= damaged.Length,
            truncationsAreRejected: false);
    }

    [Fact]
    public void DamagedCleanUpStaysWithinItsBytes()
    {
        var payload = WalSamples.CleanUp(77, "pear", "fig", new string('k', 300));
        Assert.Equal((77UL, "pear fig " + new string('k', 300)), Read(payload));
        Assert.Equal((77UL, ""), Read(WalSamples.CleanUp(77)));
        Assert.False(CleanUpMarker.TryOpen(WalSamples.Words(77), out _, out _)); // a deadline alone
        Survival.OfDamageTo(
            payload, damaged => CleanUpMarker.TryOpen(damaged, out _, out _) && Read(damaged.ToArray()).Keys.Length > 0,
            truncationsAreRejected: false);
    }

    private static (ulong Deadline, string Keys) Read(byte[] payload)
    {
        Assert.True(CleanUpMarker.TryOpen(payload, out var marker, out var error), error.ToString());
        var names = new List<string>();
        var keys = marker.Keys;
        while (keys.MoveNext()) names.Add(System.Text.Encoding.Latin1.GetString(keys.Current));
        return (marker.Deadline, string.Join(' ', names));
    }

    private static IEnumerable<byte[]> AllRecords() =>
        Markers.Select(type => WalSamples.Marker(type, new byte[type switch
        {
            WalRecordType.Link => 24,
            WalRecordType.Clean => 16,
            WalRecordType.Sealed => 8,
            WalRecordType.Snapshot => 48,
            WalRecordType.Mark => 72,
            _ => 0
        }]))
            .Append(WalSamples.Marker(WalRecordType.Clean, WalSamples.CleanUp(5, "pear", "fig")))
            .Append(WalSamples.ChunkRecord());

    private static bool Reads(ReadOnlySpan<byte> bytes) =>
        WalRecordHeader.TryRead(bytes, WalSamples.Offset, WalSamples.Salt, out _, out _);

    private static void EveryFlipIsNoticed(byte[] bytes, TryDecodeBytes tryDecode)
    {
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(tryDecode(bytes), $"bit {bit} flipped, and accepted");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }
}
