using FsCheck.Xunit;
using Varve.Format;

namespace Varve.Tests.Format.Snapshots;

public class PackFormatTests
{
    [Fact]
    public void HeaderRoundTrips()
    {
        var header = new PackHeader(SnapshotManifestCodec.FileLengthMax, SnapshotManifestCodec.TablesMax);
        Assert.True(PackFormat.TryDecodeHeader(PackFormat.EncodeHeader(header), out var decoded, out _));
        Assert.Equal(header, decoded);
    }

    [Fact]
    public void LimitsAreChecked()
    {
        Assert.False(PackFormat.TryDecodeHeader(PackFormat.EncodeHeader(new PackHeader(0, 1)), out _, out _));
        Assert.False(PackFormat.TryDecodeHeader(
            PackFormat.EncodeHeader(new PackHeader(SnapshotManifestCodec.FileLengthMax + 1, 1)), out _, out _));
        Assert.False(PackFormat.TryDecodeHeader(
            PackFormat.EncodeHeader(new PackHeader(1, SnapshotManifestCodec.TablesMax + 1)), out _, out _));
        Assert.False(PackFormat.TryDecodeHeader(PackFormat.EncodeHeader(new PackHeader(-1, 0)), out _, out _));
    }

    [Fact]
    public void DamageIsHandled()
    {
        // A decoder of a prefix: more bytes are not its business.
        var header = PackFormat.EncodeHeader(new PackHeader(100, 3));
        Survival.OfDamageTo(
            header, bytes => bytes.Length <= header.Length && PackFormat.TryDecodeHeader(bytes, out _, out _));
        Survival.OfDamageTo(
            PackFormat.EncodeFileHeader(77),
            bytes => bytes.Length <= 8 && PackFormat.TryDecodeFileHeader(bytes, 77, out _));
        Survival.OfDamageTo(
            PackFormat.EncodeTrailer(5), bytes => bytes.Length <= 16 && PackFormat.TryDecodeTrailer(bytes, 5, out _));
    }

    [Property]
    public void AnyBytesAreHandled(byte[] bytes, long length, ulong hash)
    {
        Assert.False(PackFormat.TryDecodeHeader(bytes, out _, out _));
        PackFormat.TryDecodeFileHeader(bytes, length, out _);
        PackFormat.TryDecodeTrailer(bytes, hash, out _);
    }
}
