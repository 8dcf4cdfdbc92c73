using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Varve.Memtables;

/// <summary>
/// A node of <see cref="BlockList"/>: up to twelve rows of neighbouring keys in four cache lines.
/// <code>
///   0  u64  order       RowOrder: which slots are rows, in which order
///   8  u32  next        the block to the right; 0: none. The truth of the list
///  12  u32  previous    a block to the left; often the neighbour
///  16  u32  anchor      the operation whose key bounds the block from below; 0 (the first block): the empty key
///  20  u32  splits      how often rows moved out of this block
///  24  u16  prefix      bytes that every key of the block shares with the anchor; never changes
///  26  u8   height      levels of links, 1 .. HeightMax
///  32  links of the levels 1 and 2
///  64  u64  heads[12]   eight bytes of the slot's key from prefix on, as a big-endian integer
/// 160  u32  rows[12]    the newest operation of the slot's key
/// 208  links of the levels 3, 4, 5; taller blocks take more lines, and their links go on behind
/// </code>
/// Lives in the arena of the index: the reader's pin keeps it alive.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeMin)]
internal unsafe struct RowBlock
{
    public const int RowsMax = 12;
    public const int HeightMax = 12;
    public const int SizeMin = 256;

    [FieldOffset(0)] public ulong Order;
    [FieldOffset(8)] public uint Next;
    [FieldOffset(12)] public uint Previous;
    [FieldOffset(16)] public uint Anchor;
    [FieldOffset(20)] public uint Splits;
    [FieldOffset(24)] public ushort Prefix;
    [FieldOffset(26)] public byte Height;
    [FieldOffset(64)] public fixed ulong Heads[RowsMax];
    [FieldOffset(160)] public fixed uint Rows[RowsMax];

    /// <summary>Cache lines of a block with <paramref name="height"/> levels.</summary>
    public static int LinesOf(int height) => height <= 5 ? 4 : 4 + (height - 5 + 3) / 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static BlockLink* LinkOf(RowBlock* block, int level) =>
        (BlockLink*)((byte*)block + (level <= 2 ? 16 : 160) + 16 * level);

    /// <summary>
    /// Among the <paramref name="used"/> slots: how many heads are below <paramref name="head"/>, which is a rank, and how
    /// many equal it, which only their whole keys can order.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Rank(RowBlock* block, ulong head, uint used, out int ties)
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
    public static int SlotWith(RowBlock* block, uint reference)
    {
        var slot = new ReadOnlySpan<uint>(block->Rows, RowsMax).IndexOf(reference);
        return slot >= 0 && (RowOrder.Used(block->Order) >> slot & 1) != 0 ? slot : -1;
    }
}

/// <summary>A link of a block at one level, with enough of the target's anchor to decide most comparisons without a look at it.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct BlockLink
{
    /// <summary>Eight bytes of the target's anchor from <see cref="Shared"/> on, big-endian, zero padded.</summary>
    public ulong Head;

    /// <summary>The target block; 0: none, or the link is being rewritten.</summary>
    public uint Target;

    /// <summary>Leading bytes that this block's anchor and the target's share.</summary>
    public ushort Shared;

    /// <summary>How many bytes of <see cref="Head"/> are the anchor's and not padding.</summary>
    public byte HeadLength;
}
