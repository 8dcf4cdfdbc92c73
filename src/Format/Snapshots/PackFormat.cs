using System.Buffers.Binary;
using System.IO.Hashing;

namespace Varve.Format;

/// <summary>
/// A snapshot's directory as one stream (<c>.varve</c>), to be written and read from front to back.
/// <code>
///   0  8    magic            "VARVEPCK"
///   8  u32  version          1
///  12  u32  feature bits     0; FormatFeatures
///  16  u64  manifest length  bytes of the manifest file, 1 .. SnapshotManifestCodec.FileLengthMax
///  24  u64  file count       as many as the manifest has tables
///  32  u64  checksum         XXH3-64 of bytes 0..31
///  40  the manifest file
///      then for each table, in the manifest's order: u64 length, as in its descriptor; the file
///      u128 trailer          XXH128 of all before it
/// </code>
/// All integers are little endian.
/// </summary>
internal static class PackFormat
{
    public const uint Version = 1;
    public const int HeaderSize = 40;
    public const int FileHeaderSize = sizeof(ulong);
    public const int TrailerSize = 16;

    private const int VersionOffset = 8;
    private const int FeaturesOffset = 12;
    private const int ManifestLengthOffset = 16;
    public const int FileCountOffset = 24;
    private const int ChecksumOffset = 32;

    private static ReadOnlySpan<byte> Magic => "VARVEPCK"u8;

    public static byte[] EncodeHeader(PackHeader header)
    {
        var bytes = new byte[HeaderSize];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(VersionOffset), Version);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(FileCountOffset), (ulong)header.FileCount);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(ManifestLengthOffset), (ulong)header.ManifestLength);
        BinaryPrimitives.WriteUInt64LittleEndian(
            bytes.AsSpan(ChecksumOffset), XxHash3.HashToUInt64(bytes.AsSpan(0, ChecksumOffset)));
        return bytes;
    }

    /// <summary>True if the bytes begin a packed snapshot of any version.</summary>
    public static bool IsPack(ReadOnlySpan<byte> start) => start.StartsWith(Magic);

    public static bool TryDecodeHeader(ReadOnlySpan<byte> bytes, out PackHeader header, out DecodeError error)
    {
        header = default;
        error = HeaderFault(bytes);
        if (error.IsFault) return false;
        header = new PackHeader(
            (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes[ManifestLengthOffset..]),
            (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes[FileCountOffset..]));
        return true;
    }

    public static byte[] EncodeFileHeader(long length)
    {
        var bytes = new byte[FileHeaderSize];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)length);
        return bytes;
    }

    /// <summary>The length of the file that follows, which has to be the one its descriptor names.</summary>
    public static bool TryDecodeFileHeader(ReadOnlySpan<byte> bytes, long expectedLength, out DecodeError error)
    {
        error = default;
        if (bytes.Length < FileHeaderSize) error = new DecodeError(bytes.Length, "file length", "is cut off");
        else if (BinaryPrimitives.ReadUInt64LittleEndian(bytes) != (ulong)expectedLength)
            error = new DecodeError(
                0, "file length",
                $"is {BinaryPrimitives.ReadUInt64LittleEndian(bytes)}, manifest says {expectedLength}");
        return !error.IsFault;
    }

    public static byte[] EncodeTrailer(UInt128 hash)
    {
        var bytes = new byte[TrailerSize];
        BinaryPrimitives.WriteUInt128LittleEndian(bytes, hash);
        return bytes;
    }

    public static bool TryDecodeTrailer(ReadOnlySpan<byte> bytes, UInt128 expectedHash, out DecodeError error)
    {
        error = default;
        if (bytes.Length < TrailerSize) error = new DecodeError(bytes.Length, "pack trailer", "is cut off");
        else if (BinaryPrimitives.ReadUInt128LittleEndian(bytes) != expectedHash) error = new DecodeError(
            0,
            "pack hash", $"mismatch (stored {BinaryPrimitives.ReadUInt128LittleEndian(bytes):x32}, computed "
                + $"{expectedHash:x32})");
        return !error.IsFault;
    }

    private static DecodeError HeaderFault(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderSize) return new DecodeError(bytes.Length, "pack header", "is cut off");
        if (!IsPack(bytes)) return new DecodeError(0, "file", "is not a packed snapshot");
        var (stored, computed) = (
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[ChecksumOffset..]),
            XxHash3.HashToUInt64(bytes[..ChecksumOffset]));
        if (stored != computed) return DecodeError.Checksum(ChecksumOffset, stored, computed);
        var version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[VersionOffset..]);
        var features = BinaryPrimitives.ReadUInt32LittleEndian(bytes[FeaturesOffset..]);
        if (!FormatFeatures.AreKnown(
            "packed snapshot", (version, VersionOffset), Version, (features, FeaturesOffset), out var error))
            return error;
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes[FileCountOffset..]) > SnapshotManifestCodec.TablesMax)
            return new DecodeError(FileCountOffset, "pack", "has more than 131,072 files");
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes[ManifestLengthOffset..]) is 0
            or > SnapshotManifestCodec.FileLengthMax
            ? new DecodeError(ManifestLengthOffset, "length of the pack's manifest", "is out of range")
            : default;
    }
}
