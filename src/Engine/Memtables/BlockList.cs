using System.Numerics;
using System.Runtime.CompilerServices;
using Varve.Memory;

namespace Varve.Memtables;

/// <summary>
/// The ordered half of the memtable's index: a skiplist whose nodes are blocks of up to twelve rows. One writer at a time,
/// any number of readers, no locks, nothing ever removed.
/// </summary>
/// <remarks>
/// <para><b>The problem.</b> Every key is inserted once and seldom read, and what an insert costs is the cache lines that it
/// waits for one after the other. Readers walk meanwhile, in both directions, and must see every row that was there before
/// their revision was published, once and in order.</para>
/// <para><b>The obvious design</b> has one key a node, as in LevelDB. At 400,000 keys a search visits 20-odd nodes and reads
/// node and key at each: its upper levels stay cached, but the last seven or so visits are misses, twice. Blocks cut the
/// number of nodes by eight, the heads inside make one block one SIMD comparison, and links that carry the head of the
/// target's anchor decide without touching the target: a search touches the blocks that it moves to, and no keys at all
/// unless heads tie. Towers of links lie apart from the blocks, so that nearly all of the way is in the cache (docs/decisions/0002-block-skiplist.md has the figures).</para>
/// <para><b>The search</b> carries how many bytes the key shares with the anchor of the block where it stands. A link tells
/// how many bytes that anchor shares with the target's. Fewer for the key: the target is on the key's low side too, go on.
/// More: the target is beyond. Equal: the eight bytes from there on decide, and only when they are equal as well is the
/// target's anchor read.</para>
/// <list type="number">
/// <item>A block's anchor never changes and is the key of its first row; the first block has none and stands for the empty
/// key. Anchors strictly ascend along <c>Next</c>. A block holds the rows from its anchor up to the next block's.</item>
/// <item>So a block's range only shrinks, and all that can ever be in it shares the first <c>Prefix</c> bytes with the
/// anchor: <c>Prefix</c> was chosen when the range was at its widest.</item>
/// <item>A row becomes visible by the store of <c>Order</c>, after its head and reference; a new block by the store of its tower in
/// the left neighbour's <c>Next</c>, after all of its contents. Both stores release.</item>
/// <item>A slot in use is never rewritten, but for its reference, and that by a newer version of the same key.</item>
/// <item>A split first publishes the right block with copies of the upper rows, then truncates the left block's
/// <c>Order</c>, then raises <c>Splits</c>, and only then are the freed slots used again. A reader that reads
/// <c>Splits</c>, <c>Order</c>, the rows, <c>Next</c>, and finds <c>Splits</c> as it was, has rows that once were the block's
/// contents together, and a <c>Next</c> that is at least as new: a row that it lacks because it moved is in a block
/// that it will reach. It may meet a row twice, and drops what is not beyond the last one.</item>
/// <item><c>Previous</c> is some block to the left: from there <c>Next</c> leads back, through every block in between.</item>
/// <item>Links above <c>Next</c> only speed things up. One is rewritten as target := 0, contents, target; targets only
/// come nearer, so a target that reads the same before and after its contents belongs to them. Whoever meets a 0 goes on one
/// level below, and at the bottom <c>Next</c> and whole keys decide.</item>
/// </list>
/// </remarks>
internal sealed unsafe partial class BlockList
{
    private readonly byte* _segment;
    private readonly Arena _blocks;
    private readonly Arena _towers;
    private readonly byte* _firstLine;
    private readonly byte* _firstUnit;
    private readonly uint _first;
    private int _height = 1;

    /// <summary>An empty list over the operations of <paramref name="segment"/>, with arenas of lines and of <see cref="Tower"/> units.</summary>
    public BlockList(byte* segment, Arena blocks, Arena towers)
    {
        _segment = segment;
        _blocks = blocks;
        _towers = towers;
        _firstLine = blocks.Start;
        _firstUnit = towers.Start;
        _first = Allocate(anchor: 0, Tower.HeightMax);
    }

    /// <summary>The leftmost tower.</summary>
    public uint First => _first;

    /// <summary>The address of a tower.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Tower* At(uint tower) => (Tower*)(_firstUnit + (ulong)tower * Tower.Unit);

    /// <summary>The address of a tower's block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public RowBlock* BlockOf(uint tower) => (RowBlock*)(_firstLine + (ulong)At(tower)->Block * Arena.LineSize);

    /// <summary>The key of the operation that <paramref name="reference"/> names.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public RawKey KeyOf(uint reference) => RawKey.Of(OperationAt(reference));

    /// <summary>The address of the operation that <paramref name="reference"/> names.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* OperationAt(uint reference) => _segment + (ulong)reference * Format.WalOperation.Alignment;

    /// <summary>
    /// The rightmost block whose anchor is at or below <paramref name="key"/>, or strictly below when <paramref name="strict"/>.
    /// </summary>
    /// <param name="key">The key to look for.</param>
    /// <param name="strict">Whether an equal anchor is beyond the key.</param>
    /// <param name="beyond">The block's right neighbour then, known to be beyond the key; 0: it had none.</param>
    /// <param name="path">Gets the block where the search left each level; null for none.</param>
    public uint Find(RawKey key, bool strict, out uint beyond, uint* path = null)
    {
        var block = _first;
        var shared = 0;
        beyond = 0;
        for (var level = Volatile.Read(ref _height); level > 0; level--)
        {
            while (true)
            {
                var link = Tower.LinkOf(At(block), level);
                var target = Volatile.Read(ref link->Target);
                if (target == 0) break;
                var snapshot = *link;
                Volatile.ReadBarrier();
                if (link->Target != target) break;
                beyond = target;
                if (!GoesOn(key, in snapshot, target, strict, ref shared)) break;
                block = target;
            }

            if (path != null) path[level] = block;
        }

        return FollowNext(key, strict, block, ref beyond);
    }

    /// <summary>
    /// Whether the target of a link is still at or below <paramref name="key"/>; then <paramref name="shared"/>, what the key shares with
    /// the anchor here, becomes what it shares with the target's.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool GoesOn(RawKey key, in BlockLink link, uint target, bool strict, ref int shared)
    {
        if (shared != link.Shared) return shared < link.Shared;
        var head = key.Head(shared);
        if (head == link.Head)
        {
            if (!IsBeyondAnchor(key, target, strict, out var sharedWithTarget)) return false;
            shared = sharedWithTarget;
            return true;
        }

        if (head < link.Head) return false;
        var same = BitOperations.LeadingZeroCount(head ^ link.Head) >> 3;
        shared += Math.Min(same, Math.Min((int)link.HeadLength, key.Length - shared));
        return true;
    }

    /// <summary>The last word: walks right by whole keys until the neighbour is <paramref name="beyond"/> or beyond the key.</summary>
    public uint FollowNext(RawKey key, bool strict, uint block, ref uint beyond)
    {
        while (true)
        {
            var next = Volatile.Read(ref At(block)->Next);
            if (next == beyond || next == 0 || !IsBeyondAnchor(key, next, strict, out _))
            {
                beyond = next;
                return block;
            }

            block = next;
        }
    }

    /// <summary>Follows the links to the right end. There may be newer blocks behind it.</summary>
    public uint FindLast()
    {
        var block = _first;
        for (var level = Volatile.Read(ref _height); level > 0; level--)
        {
            while (Volatile.Read(ref Tower.LinkOf(At(block), level)->Target) is var target and not 0) block = target;
        }

        return block;
    }

    /// <summary>Whether <paramref name="key"/> is above the block's anchor, or at it when not <paramref name="strict"/>.</summary>
    private bool IsBeyondAnchor(RawKey key, uint block, bool strict, out int shared)
    {
        var order = key.CompareTo(KeyOf(At(block)->Anchor), out shared);
        return order > 0 || (order == 0 && !strict);
    }
}
