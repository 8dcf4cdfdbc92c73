using System.Buffers.Binary;
using System.IO.Hashing;

namespace Varve.Format;

/// <summary>
/// The two small files that everything else hangs from: IDENTITY, written once when a database is made (number 0), and
/// CURRENT, which names the manifest and is replaced durably.
/// <code>
///  0  8    magic            "VARVEDIR"
///  8  u32  format version   1
/// 12  u32  feature bits     0; FormatFeatures
/// 16  16   database id      in the order in which it is printed
/// 32  u64  manifest number  0 in IDENTITY
/// 40  u64  checksum         XXH3-64 of bytes 0..39
/// </code>
/// </summary>
internal readonly record struct PointerFile(Guid DatabaseId, ulong ManifestNumber)
{
    public const int Size = 48;
    public const uint Version = 1;

    private static ReadOnlySpan<byte> Magic => "VARVEDIR"u8;

    public byte[] Encode()
    {
        var bytes = new byte[Size];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Version);
        DatabaseId.TryWriteBytes(bytes.AsSpan(16), bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(32), ManifestNumber);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(40), XxHash3.HashToUInt64(bytes.AsSpan(0, 40)));
        return bytes;
    }

    public static bool TryDecode(ReadOnlySpan<byte> source, out PointerFile pointer, out DecodeError error)
    {
        pointer = default;
        error = default;
        if (source.Length != Size) error = new DecodeError(0, "file", "is not 48 bytes long");
        else if (!source[..8].SequenceEqual(Magic)) error = new DecodeError(0, "file", "is not a pointer file");
        if (error.IsFault) return false;
        var (stored, computed) =
            (BinaryPrimitives.ReadUInt64LittleEndian(source[40..]), XxHash3.HashToUInt64(source[..40]));
        if (stored != computed)
        {
            error = DecodeError.Checksum(40, stored, computed);
            return false;
        }

        var version = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        var features = BinaryPrimitives.ReadUInt32LittleEndian(source[12..]);
        if (!FormatFeatures.AreKnown("pointer file", (version, 8), Version, (features, 12), out error)) return false;
        if (BinaryPrimitives.ReadUInt64LittleEndian(source[32..]) >= VersionEdit.FileNumberLimit)
        {
            error = new DecodeError(32, "manifest number", "is not below 2^63");
            return false;
        }

        pointer = new PointerFile(
            new Guid(source.Slice(16, 16), bigEndian: true), BinaryPrimitives.ReadUInt64LittleEndian(source[32..]));
        return true;
    }
}
