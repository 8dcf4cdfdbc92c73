using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Varve.Memory;

namespace Varve.Memtables;

/// <summary>
/// Up to twelve rows of neighbouring keys in three cache lines: what a <see cref="Tower"/> of <see cref="BlockList"/> stands for.
/// <code>
///   0  u64  order       RowOrder: which slots are rows, in which order
///   8  u32  splits      how often rows moved out of this block
///  12  u16  prefix      bytes that every key of the block shares with the anchor; never changes
///  16  u32  rows[12]    the newest operation of the slot's key
///  64  u64  heads[12]   eight bytes of the slot's key from prefix on, as a big-endian integer
/// </code>
/// Lives in the arena of the index: the reader's pin keeps it alive.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Lines * Arena.LineSize)]
internal unsafe struct RowBlock
{
    public const int RowsMax = 12;
    public const int Lines = 3;

    [FieldOffset(0)] public ulong Order;
    [FieldOffset(8)] public uint Splits;
    [FieldOffset(12)] public ushort Prefix;
    [FieldOffset(16)] public fixed uint Rows[RowsMax];
    [FieldOffset(64)] public fixed ulong Heads[RowsMax];

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
