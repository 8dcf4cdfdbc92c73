using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Varve.Tables;

/// <summary>
/// Comparisons of one key head with many. Loads whole vectors, so up to 56 bytes behind the last head are read: data
/// blocks and index nodes are whole cache lines, and all that reads here stays inside them.
/// </summary>
internal static unsafe class HeadSearch
{
    /// <summary>Bit i says that head i is below; for up to 63 heads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Below(ulong* heads, int count, ulong head)
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

    /// <summary>Bit i says that head i is equal; for up to 63 heads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Equal(ulong* heads, int count, ulong head)
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

    /// <summary>Bit i says that tag i is equal; for the 48 tags that begin at an address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong EqualTags(byte* tags, int count, byte tag)
    {
        ulong mask;
        if (Vector512.IsHardwareAccelerated)
        {
            // The line that the tags end: the 16 bytes before them are the block's header.
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
