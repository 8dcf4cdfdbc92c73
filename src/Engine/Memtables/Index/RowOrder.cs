using System.Numerics;
using System.Runtime.CompilerServices;

namespace Varve.Memtables;

/// <summary>
/// The word with the used slots of a block and their order: a block's only point of publication.
/// <code>
/// bits  0..47   the slot of the row of rank 0, 1, ... 11, four bits each
/// bits 48..59   slot s is used
/// </code>
/// </summary>
internal static class RowOrder
{
    private const int UsedShift = 48;
    private const ulong RanksMask = (1UL << UsedShift) - 1;
    private const ulong Ascending = 0xBA98_7654_3210;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Used(ulong order) => (uint)(order >> UsedShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Count(ulong order) => BitOperations.PopCount(Used(order));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int SlotOf(ulong order, int rank) => (int)(order >> (4 * rank)) & 15;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int FreeSlot(ulong order) => BitOperations.TrailingZeroCount(~Used(order));

    /// <summary>Returns the order of rows in the slots 0 .. <paramref name="count"/> - 1.</summary>
    public static ulong First(int count) =>
        (Ascending & ((1UL << (4 * count)) - 1)) | (((1UL << count) - 1) << UsedShift);

    /// <summary>Returns <paramref name="order"/> with a free slot inserted at <paramref name="rank"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Insert(ulong order, int rank, int slot)
    {
        var below = (1UL << (4 * rank)) - 1;
        var ranks = (order & below) | ((ulong)slot << (4 * rank)) | ((order & RanksMask & ~below) << 4);
        return (ranks & RanksMask) | (order & ~RanksMask) | (1UL << (UsedShift + slot));
    }

    /// <summary>Returns the order of the lowest <paramref name="count"/> rows.</summary>
    public static ulong Truncate(ulong order, int count)
    {
        var used = 0UL;
        for (var rank = 0; rank < count; rank++) used |= 1UL << SlotOf(order, rank);
        return (order & ((1UL << (4 * count)) - 1)) | (used << UsedShift);
    }
}
