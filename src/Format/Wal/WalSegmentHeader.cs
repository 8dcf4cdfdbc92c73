using System.Buffers.Binary;
using System.IO.Hashing;

namespace Varve.Format;

/// <summary>
/// The first page of a WAL segment, written once before the segment is used; records begin at <see cref="Size"/>.
/// <code>
///   0  u64   magic "VARVEWAL"
///   8  u32   format version, 1
///  12  u32   feature bits, 0 (FormatFeatures)
///  16  16 B  database id
///  32  u64   segment number, ascending in the order of use, never reused
///  40  u64   salt: seeds every record's checksum, so that stale bytes of a recycled file can never pass
///  48  u64   length of the segment in bytes
///  56  u64   XXH3-64 of bytes 0..55
///  64        zeros to 4096: a torn header never shares a sector with a record
/// </code>
/// </summary>
internal readonly record struct WalSegmentHeader(Guid DatabaseId, ulong Number, ulong Salt, long Length)
{
    public const int Size = 4096;
    public const uint Version = 1;
    private const ulong Magic = 0x4C41_5745_5652_4156; // "VARVEWAL"
    private const int VersionField = sizeof(ulong);
    private const int FeaturesField = VersionField + sizeof(uint);
    public const int DatabaseIdField = FeaturesField + sizeof(uint);
    public const int NumberField = DatabaseIdField + 16;
    private const int SaltField = NumberField + sizeof(ulong);
    private const int LengthField = SaltField + sizeof(ulong);
    private const int ChecksumField = LengthField + sizeof(long);

    /// <summary>Bytes of the page that are not zero.</summary>
    public const int EncodedSize = ChecksumField + sizeof(ulong);

    /// <summary>Writes the whole header page.</summary>
    public void Encode(Span<byte> page)
    {
        page = page[..Size];
        page.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(page, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(page[VersionField..], Version);
        DatabaseId.TryWriteBytes(page[DatabaseIdField..NumberField], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(page[NumberField..], Number);
        BinaryPrimitives.WriteUInt64LittleEndian(page[SaltField..], Salt);
        BinaryPrimitives.WriteInt64LittleEndian(page[LengthField..], Length);
        BinaryPrimitives.WriteUInt64LittleEndian(page[ChecksumField..], XxHash3.HashToUInt64(page[..ChecksumField]));
    }

    public static bool TryDecode(ReadOnlySpan<byte> source, out WalSegmentHeader header, out DecodeError error)
    {
        header = default;
        error = default;
        if (source.Length < EncodedSize) error = new DecodeError(0, "segment header", "is cut off");
        else if (BinaryPrimitives.ReadUInt64LittleEndian(source) != Magic)
            error = new DecodeError(0, "file", "is not a WAL segment");
        if (error.IsFault) return false;
        var stored = BinaryPrimitives.ReadUInt64LittleEndian(source[ChecksumField..]);
        var computed = XxHash3.HashToUInt64(source[..ChecksumField]);
        if (stored != computed)
        {
            error = DecodeError.Checksum(ChecksumField, stored, computed);
            return false;
        }

        var version = BinaryPrimitives.ReadUInt32LittleEndian(source[VersionField..]);
        var features = BinaryPrimitives.ReadUInt32LittleEndian(source[FeaturesField..]);
        if (!FormatFeatures.AreKnown(
            "segment", (version, VersionField), Version, (features, FeaturesField), out error))
            return false;

        header = new WalSegmentHeader(
            new Guid(source[DatabaseIdField..NumberField], bigEndian: true),
            BinaryPrimitives.ReadUInt64LittleEndian(source[NumberField..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[SaltField..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[LengthField..]));
        if (header.Length is < Size or > 1L << 35)
        {
            error = new DecodeError(LengthField, "segment length", "is out of range");
            return false;
        }

        return true;
    }
}
