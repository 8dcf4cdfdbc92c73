using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Varve.Memtables;

/// <summary>
/// A node of <see cref="BlockList"/>: where its block is, its neighbours, and one link a level.
/// <code>
///  0  u32  block      the rows
///  4  u32  anchor     the operation whose key bounds the block from below; 0 (the first tower): the empty key
///  8  u32  next       the tower to the right; 0: none. The truth of the list
/// 12  u32  previous   a tower to the left; often the neighbour
/// 16  link of level 1, then of level 2, ...
/// </code>
/// Towers lie apart from the blocks, close together, 48 bytes each on average: those of 400,000 keys fill 2.3 MB, which
/// cache and TLB hold, so that of a whole search only the block at its end is likely to be far.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = Unit)]
internal unsafe struct Tower
{
    public const int Unit = 16;
    public const int HeightMax = 20;

    public uint Block;
    public uint Anchor;
    public uint Next;
    public uint Previous;

    /// <summary>The link of <paramref name="level"/>, 1 and up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static BlockLink* LinkOf(Tower* tower, int level) => (BlockLink*)tower + level;
}

/// <summary>A link of a tower at one level, with enough of the target's anchor to decide most comparisons without a look at it.</summary>
[StructLayout(LayoutKind.Sequential, Size = Tower.Unit)]
internal struct BlockLink
{
    /// <summary>Eight bytes of the target's anchor from <see cref="Shared"/> on, big-endian, zero padded.</summary>
    public ulong Head;

    /// <summary>The target tower; 0: none, or the link is being rewritten.</summary>
    public uint Target;

    /// <summary>Leading bytes that this tower's anchor and the target's share.</summary>
    public ushort Shared;

    /// <summary>How many bytes of <see cref="Head"/> are the anchor's and not padding.</summary>
    public byte HeadLength;
}
