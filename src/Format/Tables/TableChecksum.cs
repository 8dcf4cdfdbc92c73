using System.Buffers.Binary;
using System.IO.Hashing;

namespace Varve.Format;

/// <summary>
/// The checksums inside a table file: XXH3-64, seeded with the table's salt and the offset of the bytes, so that a
/// block of another table, or of another place in this one, never passes.
/// </summary>
internal static class TableChecksum
{
    /// <summary>The salt of a table: its identity, hashed.</summary>
    public static ulong Salt(Guid origin, ulong originNumber)
    {
        Span<byte> identity = stackalloc byte[24];
        origin.TryWriteBytes(identity, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(identity[16..], originNumber);
        return XxHash3.HashToUInt64(identity);
    }

    /// <summary>The seed for bytes that begin at an offset of the file.</summary>
    public static long Seed(ulong salt, long fileOffset) =>
        unchecked((long)(salt + (ulong)fileOffset * 0x9E3779B97F4A7C15));

    /// <summary>The checksum of bytes that begin at an offset of the file.</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes, ulong salt, long fileOffset) =>
        XxHash3.HashToUInt64(bytes, Seed(salt, fileOffset));
}
