using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Varve.Memory;

namespace Varve.Memtables;

/// <summary>
/// A node of <see cref="BlockList"/>: up to twelve rows of neighbouring keys in three cache lines. On level 0 a row is
/// a key's newest operation; above, it is a block of the level below, and the row's key is that block's anchor.
/// <code>
///   0  u64  order       RowOrder: which slots are rows, in which order
///   8  u32  splits      how often rows moved out of this block
///  12  u16  prefix      bytes that every key of the block shares with the anchor; never changes
///  14  u8   level
///  15  u8   open        1: keys may be sought here that do not share the prefix; they are above all rows
///  16  u32  rows[12]
///  64  u64  heads[12]   eight bytes of the row's key from prefix on, as a big-endian integer
/// 160  u32  anchor      the operation whose key bounds the block from below; 0 (the first of a level): the empty key
/// 164  u32  next        the block to the right on the same level; 0: none. On level 0 the truth of the list
/// 168  u32  previous    on level 0 a block to the left; often the neighbour
/// </code>
/// Lives in the arena of the index: the reader's pin keeps it alive.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Lines * Arena.LineSize)]
internal struct RowBlock
{
    public const int RowsMax = 12;
    public const int Lines = 3;

    [FieldOffset(0)] public ulong Order;
    [FieldOffset(8)] public uint Splits;
    [FieldOffset(12)] public ushort Prefix;
    [FieldOffset(14)] public byte Level;
    [FieldOffset(15)] public byte Open;
    // SAFETY: these members are twelve slots each, within the three lines of a block.
    [FieldOffset(16)] public unsafe fixed uint Rows[RowsMax];
    [FieldOffset(64)] public unsafe fixed ulong Heads[RowsMax];
    [FieldOffset(160)] public uint Anchor;
    [FieldOffset(164)] public uint Next;
    [FieldOffset(168)] public uint Previous;

    /// <summary>Prefetches a block's three lines.</summary>
    // SAFETY: a prefetch touches nothing.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Prefetch(RowBlock* block)
    {
        for (var line = 0; line < Lines; line++) Memory.Prefetch.Line((byte*)block + line * Arena.LineSize);
    }

    /// <summary>
    /// Counts, among the <paramref name="used"/> slots, the heads below <paramref name="head"/>, which is a rank, and
    /// those equal to it, which only whole keys can order.
    /// </summary>
    // SAFETY: the loads cover the twelve heads and nothing else.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe int Rank(RowBlock* block, ulong head, uint used, out int ties)
    {
        uint below, equal;
        var heads = block->Heads;
        if (Vector512.IsHardwareAccelerated)
        {
            var low = Vector512.Load(heads);
            var high = Vector256.Load(heads + 8);
            below = (uint)Vector512.LessThan(low, Vector512.Create(head)).ExtractMostSignificantBits()
                | (Vector256.LessThan(high, Vector256.Create(head)).ExtractMostSignificantBits() << 8);
            equal = (uint)Vector512.Equals(low, Vector512.Create(head)).ExtractMostSignificantBits()
                | (Vector256.Equals(high, Vector256.Create(head)).ExtractMostSignificantBits() << 8);
        }
        else
        {
            below = equal = 0;
            var wanted = Vector256.Create(head);
            for (var slot = 0; slot < RowsMax; slot += 4)
            {
                var four = Vector256.Load(heads + slot);
                below |= Vector256.LessThan(four, wanted).ExtractMostSignificantBits() << slot;
                equal |= Vector256.Equals(four, wanted).ExtractMostSignificantBits() << slot;
            }
        }

        ties = BitOperations.PopCount(equal & used);
        return BitOperations.PopCount(below & used);
    }

    /// <summary>The slot whose row is <paramref name="reference"/>, or -1.</summary>
    // SAFETY: the span covers the block's twelve rows.
    public static unsafe int SlotWith(RowBlock* block, uint reference)
    {
        var slot = new ReadOnlySpan<uint>(block->Rows, RowsMax).IndexOf(reference);
        return slot >= 0 && (RowOrder.Used(block->Order) >> slot & 1) != 0 ? slot : -1;
    }
}
