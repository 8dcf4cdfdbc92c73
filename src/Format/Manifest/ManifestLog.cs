using System.Buffers.Binary;
using System.IO.Hashing;

namespace Varve.Format;

/// <summary>
/// The framing of the manifest log: a header, then records, each one version edit.
/// <code>
///  file header (48 bytes; this much keeps its shape in every version)
///   0  8    magic            "VARVEMAN"
///   8  u32  version          1
///  12  u32  feature bits     0; FormatFeatures
///  16  16   database id      in the order in which it is printed
///  32  u64  salt             random, new with every file
///  40  u64  checksum         XXH3-64 of bytes 0 .. 39
///
///  record, at a multiple of 8
///   0  u64  checksum         XXH3-64, seeded with the salt, of all after it up to the padding
///   8  u32  length           bytes of payload, 1 ..
///  12  u64  offset           of this record in the file
///  20  payload, then zero padding to a multiple of 8
/// </code>
/// The salt and the offset keep bytes of another file, or of another place, from passing as a record here. All integers
/// are little endian.
/// </summary>
internal static class ManifestLog
{
    public const int HeaderSize = 48;
    public const int RecordHeaderSize = 20;

    /// <summary>The beginning of a record: without it, aligned and within a page, there is none.</summary>
    public const int ChecksumSize = sizeof(ulong);

    public const int Alignment = 8;
    public const uint Version = 1;

    /// <summary>Offset of the database's id in the file header.</summary>
    public const int DatabaseIdOffset = 16;

    private const int VersionOffset = 8;
    private const int FeaturesOffset = 12;
    private const int ChecksumOffset = 40;

    private static ReadOnlySpan<byte> Magic => "VARVEMAN"u8;

    public static byte[] EncodeHeader(Guid databaseId, ulong salt)
    {
        var header = new byte[HeaderSize];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(VersionOffset), Version);
        databaseId.TryWriteBytes(header.AsSpan(DatabaseIdOffset), bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(32), salt);
        BinaryPrimitives.WriteUInt64LittleEndian(
            header.AsSpan(ChecksumOffset), XxHash3.HashToUInt64(header.AsSpan(0, ChecksumOffset)));
        return header;
    }

    public static bool TryDecodeHeader(
        ReadOnlySpan<byte> file, out Guid databaseId, out ulong salt, out DecodeError error)
    {
        databaseId = default;
        salt = 0;
        if (!IsIntact(file, out error)) return false;
        var version = BinaryPrimitives.ReadUInt32LittleEndian(file[VersionOffset..]);
        var features = BinaryPrimitives.ReadUInt32LittleEndian(file[FeaturesOffset..]);
        if (!FormatFeatures.AreKnown(
            "manifest", (version, VersionOffset), Version, (features, FeaturesOffset), out error))
            return false;
        databaseId = new Guid(file.Slice(DatabaseIdOffset, 16), bigEndian: true);
        salt = BinaryPrimitives.ReadUInt64LittleEndian(file[32..]);
        return true;
    }

    /// <summary>Bytes that a record with this much payload takes, padding included.</summary>
    public static long SizeOf(int payloadLength) =>
        (RecordHeaderSize + (long)payloadLength + (Alignment - 1)) & ~(Alignment - 1L);

    /// <param name="salt">The file's.</param>
    /// <param name="offset">Where in the file the record will stand: the end of the one before.</param>
    /// <param name="payload">At least one byte.</param>
    public static byte[] EncodeRecord(ulong salt, long offset, ReadOnlySpan<byte> payload)
    {
        ArgumentOutOfRangeException.ThrowIfZero(payload.Length, nameof(payload));
        ArgumentOutOfRangeException.ThrowIfLessThan(offset, HeaderSize);
        ArgumentOutOfRangeException.ThrowIfNotEqual(offset % Alignment, 0, nameof(offset));
        var record = new byte[SizeOf(payload.Length)];
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), (uint)payload.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(12), (ulong)offset);
        payload.CopyTo(record.AsSpan(RecordHeaderSize));
        BinaryPrimitives.WriteUInt64LittleEndian(
            record, Checksum(record.AsSpan(8, RecordHeaderSize - 8 + payload.Length), salt));
        return record;
    }

    /// <summary>
    /// Reads the record at <paramref name="offset"/> of the whole <paramref name="file"/>. <paramref name="next"/> is
    /// where the one after it begins, or <paramref name="offset"/> when there is no record here.
    /// </summary>
    public static ManifestReadResult TryReadRecord(
        ReadOnlySpan<byte> file, long offset, ulong salt, out ReadOnlySpan<byte> payload, out long next)
    {
        payload = default;
        next = offset;
        if (offset < HeaderSize || offset > file.Length || offset % Alignment != 0) return ManifestReadResult.Invalid;
        var rest = file[(int)offset..];
        if (!rest.ContainsAnyExcept((byte)0)) return ManifestReadResult.End;
        if (rest.Length < RecordHeaderSize) return ManifestReadResult.Invalid;

        var length = BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]);
        if (length is 0 or > int.MaxValue || SizeOf((int)length) > rest.Length) return ManifestReadResult.Invalid;
        if (BinaryPrimitives.ReadUInt64LittleEndian(rest[12..]) != (ulong)offset) return ManifestReadResult.Invalid;
        var end = RecordHeaderSize + (int)length;
        if (BinaryPrimitives.ReadUInt64LittleEndian(rest) != Checksum(rest[8..end], salt))
            return ManifestReadResult.Invalid;
        var size = (int)SizeOf((int)length);
        if (rest[end..size].ContainsAnyExcept((byte)0)) return ManifestReadResult.Invalid;

        payload = rest[RecordHeaderSize..end];
        next = offset + size;
        return ManifestReadResult.Record;
    }

    /// <summary>
    /// True if the complete header at an offset of the file could be a record's, its checksum aside.
    /// </summary>
    public static bool MayBeAt(ReadOnlySpan<byte> file, long offset, out int length)
    {
        var header = file.Slice((int)offset, RecordHeaderSize);
        var stored = BinaryPrimitives.ReadUInt32LittleEndian(header[8..]);
        length = (int)stored;
        return BinaryPrimitives.ReadUInt64LittleEndian(header[12..]) == (ulong)offset
            && stored is not 0 and <= int.MaxValue && SizeOf(length) <= file.Length - offset;
    }

    /// <summary>
    /// The next place after an offset where a record could begin: zeros are jumped over, but for those that a checksum
    /// may begin with. The file's length or more: none.
    /// </summary>
    public static long NextCandidate(ReadOnlySpan<byte> file, long offset)
    {
        var next = (offset & -Alignment) + Alignment;
        if (next >= file.Length) return next;
        var zeros = file[(int)next..].IndexOfAnyExcept((byte)0);
        // The length is not zero, so a record has another byte among its first twelve.
        return zeros < 0 ? file.Length : next + Math.Max(0, (zeros & -Alignment) - Alignment);
    }

    private static ulong Checksum(ReadOnlySpan<byte> source, ulong salt) =>
        XxHash3.HashToUInt64(source, unchecked((long)salt));

    private static bool IsIntact(ReadOnlySpan<byte> file, out DecodeError error)
    {
        error = default;
        if (file.Length < HeaderSize) error = new DecodeError(file.Length, "manifest header", "is cut off");
        else if (!file.StartsWith(Magic)) error = new DecodeError(0, "file", "is not a manifest");
        if (error.IsFault) return false;
        var (stored, computed) = (BinaryPrimitives.ReadUInt64LittleEndian(file[ChecksumOffset..]), XxHash3.HashToUInt64(
            file[..ChecksumOffset]));
        if (stored != computed) error = DecodeError.Checksum(ChecksumOffset, stored, computed);
        return !error.IsFault;
    }
}
