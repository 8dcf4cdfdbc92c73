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
    private const int EncodedSize = 64;

    /// <summary>Writes the whole header page.</summary>
    public void Encode(Span<byte> page)
    {
        page = page[..Size];
        page.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(page, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(page[8..], Version);
        DatabaseId.TryWriteBytes(page[16..32], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(page[32..], Number);
        BinaryPrimitives.WriteUInt64LittleEndian(page[40..], Salt);
        BinaryPrimitives.WriteInt64LittleEndian(page[48..], Length);
        BinaryPrimitives.WriteUInt64LittleEndian(page[56..], XxHash3.HashToUInt64(page[..56]));
    }

    public static bool TryDecode(ReadOnlySpan<byte> source, out WalSegmentHeader header, out DecodeError error)
    {
        header = default;
        error = default;
        if (source.Length < EncodedSize) error = new DecodeError(0, "segment header is cut off");
        else if (BinaryPrimitives.ReadUInt64LittleEndian(source) != Magic)
            error = new DecodeError(0, "file is not a WAL segment");
        if (error.Reason is not null) return false;
        var (stored, computed) =
            (BinaryPrimitives.ReadUInt64LittleEndian(source[56..]), XxHash3.HashToUInt64(source[..56]));
        if (stored != computed)
        {
            error = DecodeError.Checksum(56, stored, computed);
            return false;
        }

        var version = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        var features = BinaryPrimitives.ReadUInt32LittleEndian(source[12..]);
        if (!FormatFeatures.AreKnown("segment", (version, 8), Version, (features, 12), out error)) return false;

        header = new WalSegmentHeader(
            new Guid(source[16..32], bigEndian: true),
            BinaryPrimitives.ReadUInt64LittleEndian(source[32..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[48..]));
        if (header.Length is < Size or > 1L << 35)
        {
            error = new DecodeError(48, "segment length is out of range");
            return false;
        }

        return true;
    }
}
