using FsCheck.Xunit;
using Varve.Format;

namespace Varve.Tests.Format.Records;

public class ManifestLogTests
{
    private const ulong Salt = 0x1122_3344_5566_7788;

    [Fact]
    public void HeaderRoundTrips()
    {
        Assert.True(ManifestLog.TryDecodeHeader(
            ManifestLog.EncodeHeader(Samples.DatabaseId, Salt), out var id, out var salt, out _));
        Assert.Equal((Samples.DatabaseId, Salt), (id, salt));
    }

    [Fact]
    public void FlippedBitInHeaderIsDetected()
    {
        var header = ManifestLog.EncodeHeader(Samples.DatabaseId, Salt);
        for (var bit = 0; bit < header.Length * 8; bit++)
        {
            header[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(ManifestLog.TryDecodeHeader(header, out _, out _, out var error));
            Assert.True(error.IsFault);
            Assert.False(error.IsUnsupported);
            header[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (var length = 0; length < header.Length; length++)
            Assert.False(ManifestLog.TryDecodeHeader(header.AsSpan(0, length), out _, out _, out _));
    }

    [Fact]
    public void HeaderOfOtherVersionIsDistinguishedFromDamage()
    {
        var header = ManifestLog.EncodeHeader(Samples.DatabaseId, Salt);
        header[8] = 2;
        BitConverter.TryWriteBytes(header.AsSpan(40), System.IO.Hashing.XxHash3.HashToUInt64(header.AsSpan(0, 40)));
        Assert.False(ManifestLog.TryDecodeHeader(header, out _, out _, out var error));
        Assert.Equal((8L, true), (error.Offset, error.IsUnsupported));
    }

    [Property]
    public void RecordsRoundTripInOrder(byte[][] payloads)
    {
        payloads = [.. payloads.Where(payload => payload.Length > 0)];
        var file = FileOf(payloads);
        foreach (var tail in (int[])[0, 1, 8, 100])
        {
            Assert.Equal(payloads, Read([.. file, .. new byte[tail]], out var end));
            Assert.Equal(ManifestReadResult.End, end);
        }
    }

    [Fact]
    public void EveryTruncationKeepsWholeRecordsOnly()
    {
        byte[][] payloads = [[1, 2, 3], [4], [5, 6, 7, 8, 9]];
        var file = FileOf(payloads);
        for (var length = ManifestLog.HeaderSize; length < file.Length; length++)
        {
            var read = Read(file[..length], out var end);
            Assert.Equal(payloads.Take(read.Count), read);
            var isBetween = (length - ManifestLog.HeaderSize) is 0 or 24 or 48;
            Assert.Equal(isBetween ? ManifestReadResult.End : ManifestReadResult.Invalid, end);
        }
    }

    [Fact]
    public void FlippedBitInRecordIsDetected()
    {
        var file = FileOf([[1, 2, 3]]);
        for (var bit = ManifestLog.HeaderSize * 8; bit < file.Length * 8; bit++)
        {
            file[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Empty(Read(file, out var end));
            Assert.Equal(ManifestReadResult.Invalid, end);
            file[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void RecordFromOtherOffsetIsInvalid()
    {
        byte[] file = [.. FileOf([[1]]), .. ManifestLog.EncodeRecord(Salt, ManifestLog.HeaderSize, [1])];
        Assert.Single(Read(file, out var end));
        Assert.Equal(ManifestReadResult.Invalid, end);
    }

    [Fact]
    public void RecordOfOtherFileIsInvalid()
    {
        var file = FileOf([[1]]);
        Assert.Equal(
            ManifestReadResult.Invalid,
            ManifestLog.TryReadRecord(file, ManifestLog.HeaderSize, Salt + 1, out _, out _));
    }

    [Property(MaxTest = 1_000)]
    public void AnyBytesAndOffsetsAreHandled(byte[] bytes, long offset, ulong salt)
    {
        ManifestLog.TryReadRecord(bytes, offset, salt, out _, out _);
        ManifestLog.TryReadRecord(
            [.. new byte[ManifestLog.HeaderSize], .. bytes], ManifestLog.HeaderSize, salt, out _, out _);
        Assert.False(ManifestLog.TryDecodeHeader(bytes, out _, out _, out _));
    }

    [Fact]
    public void OffsetOutsideFileIsInvalid()
    {
        var file = FileOf([]);
        foreach (var offset in (long[])[-8, 0, 40, 49, 56, long.MaxValue, long.MinValue])
            Assert.Equal(ManifestReadResult.Invalid, ManifestLog.TryReadRecord(file, offset, Salt, out _, out _));
    }

    private static byte[] FileOf(byte[][] payloads)
    {
        List<byte> file = [.. ManifestLog.EncodeHeader(Samples.DatabaseId, Salt)];
        foreach (var payload in payloads) file.AddRange(ManifestLog.EncodeRecord(Salt, file.Count, payload));
        return [.. file];
    }

    private static List<byte[]> Read(byte[] file, out ManifestReadResult end)
    {
        var payloads = new List<byte[]>();
        long offset = ManifestLog.HeaderSize;
        while ((end = ManifestLog.TryReadRecord(
            file, offset, Salt, out var payload, out offset)) == ManifestReadResult.Record)
            payloads.Add(payload.ToArray());
        return payloads;
    }
}
