using System.Runtime.InteropServices;

namespace Varve.Format;

/// <summary>
/// The first 16 bytes of a data block, and from them where its columns are. A mapped reader lays this struct over the
/// bytes, so its fields are the layout (little endian; docs/FORMAT.md).
/// <code>
///   0  u32  length        bytes from the block's begin to the end of its rows
///   4  u32  row bytes     FixedRows: bytes of every row; else 0
///   8  u16  prefix length bytes that all keys begin with
///  10  u16  key length    FixedKeys: bytes of every key; else 0
///  12  u8   count         rows, 1 to 48
///  13  u8   flags         <see cref="DataBlockFlags"/>
///  14  u16  0
///  16  u8[48] tags        one a row, low byte of its key's hash; then 0
///  64  u64[count]         heads: the 8 key bytes after the prefix, as integers that order like the bytes
///      u16[count]         key lengths, unless FixedKeys
///      u8[count]          kinds, unless AllPuts
///      u32[count + 1]     where rows begin, from the first row's begin, and the end; unless FixedRows
///      u8[prefix length]  the prefix
///      rows               each: key after prefix and head; value; u64 deadline if a leased put
///      0 ..               up to 8 bytes before a multiple of 64
///      u64                checksum (<see cref="TableChecksum"/>) of everything before it in the block
/// </code>
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = Bytes)]
internal readonly struct DataBlockHeader
{
    /// <summary>Size of this header.</summary>
    public const int Bytes = 16;

    /// <summary>Offset of the heads: header and tags are one cache line.</summary>
    public const int HeadsOffset = 64;

    /// <summary>Most rows in a block: what is left of a cache line for tags.</summary>
    public const int RowsMax = HeadsOffset - Bytes;

    /// <summary>Blocks begin at multiples of this and are multiples of it long.</summary>
    public const int Alignment = 64;

    /// <summary>Bytes of the checksum that ends a block.</summary>
    public const int ChecksumBytes = 8;

    public readonly uint Length;
    public readonly uint RowBytes;
    public readonly ushort PrefixLength;
    public readonly ushort KeyLength;
    public readonly byte Count;
    public readonly DataBlockFlags Flags;
    public readonly ushort Reserved;

    public DataBlockHeader(
        uint length, uint rowBytes, ushort prefixLength, ushort keyLength, byte count, DataBlockFlags flags)
    {
        Length = length;
        RowBytes = rowBytes;
        PrefixLength = prefixLength;
        KeyLength = keyLength;
        Count = count;
        Flags = flags;
    }

    public bool HasFixedKeys => (Flags & DataBlockFlags.FixedKeys) != 0;

    public bool HasFixedRows => (Flags & DataBlockFlags.FixedRows) != 0;

    public bool HasOnlyPuts => (Flags & DataBlockFlags.AllPuts) != 0;

    public int KeyLengthsOffset => HeadsOffset + 8 * Count;

    public int KindsOffset => KeyLengthsOffset + (HasFixedKeys ? 0 : 2 * Count);

    public int RowOffsetsOffset => KindsOffset + (HasOnlyPuts ? 0 : Count);

    public int PrefixOffset => RowOffsetsOffset + (HasFixedRows ? 0 : 4 * (Count + 1));

    public int RowsOffset => PrefixOffset + PrefixLength;

    /// <summary>Bytes that a block of a length takes in the file, its checksum included.</summary>
    public static long Extent(long length) => length + ChecksumBytes + Alignment - 1 & -Alignment;

    /// <summary>Bytes of a key that stand in its row: what the prefix and the head do not hold.</summary>
    public static int TailBytes(int keyLength, int prefixLength) =>
        Math.Max(0, keyLength - prefixLength - KeyHead.Bytes);
}
