using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Varve.Tables;

/// <summary>
/// Compares one key head with the heads of a data block or an index node, and one tag with the tags of a block. Loads
/// whole vectors.
/// </summary>
internal static class HeadSearch
{
    /// <summary>Sets bit i if head i is below; for up to 63 heads.</summary>
    // SAFETY: reads up to 56 bytes behind the last head. Blocks and index nodes are whole cache lines, and the heads
    // begin at a multiple of 64, so these bytes are inside too.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe ulong Below(ulong* heads, int count, ulong head)
    {
        ulong mask = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (var i = 0; i < count; i += 8)
                mask |= Vector512.LessThan(Vector512.Load(heads + i), Vector512.Create(head))
                    .ExtractMostSignificantBits() << i;
        }
        else
        {
            for (var i = 0; i < count; i += 4)
                mask |= (ulong)Vector256.LessThan(Vector256.Load(heads + i), Vector256.Create(head))
                    .ExtractMostSignificantBits() << i;
        }
        return mask & First(count);
    }

    /// <summary>Sets bit i if head i is equal; for up to 63 heads.</summary>
    // SAFETY: as for Below.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe ulong Equal(ulong* heads, int count, ulong head)
    {
        ulong mask = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (var i = 0; i < count; i += 8)
                mask |= Vector512.Equals(Vector512.Load(heads + i), Vector512.Create(head))
                    .ExtractMostSignificantBits() << i;
        }
        else
        {
            for (var i = 0; i < count; i += 4)
                mask |= (ulong)Vector256.Equals(Vector256.Load(heads + i), Vector256.Create(head))
                    .ExtractMostSignificantBits() << i;
        }
        return mask & First(count);
    }

    /// <summary>Sets bit i if tag i is equal; for the 48 tags that begin at an address.</summary>
    // SAFETY: the tags are the last 48 bytes of the block's first line, behind the 16 bytes of its header.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe ulong EqualTags(byte* tags, int count, byte tag)
    {
        ulong mask;
        if (Vector512.IsHardwareAccelerated)
        {
            mask =
                Vector512.Equals(Vector512.Load(tags - 16), Vector512.Create(tag)).ExtractMostSignificantBits() >> 16;
        }
        else
        {
            var sought = Vector128.Create(tag);
            mask = Vector128.Equals(Vector128.Load(tags), sought).ExtractMostSignificantBits()
                | (ulong)Vector128.Equals(Vector128.Load(tags + 16), sought).ExtractMostSignificantBits() << 16
                | (ulong)Vector128.Equals(Vector128.Load(tags + 32), sought).ExtractMostSignificantBits() << 32;
        }
        return mask & First(count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong First(int count) => (1UL << count) - 1;
}
