using System.Runtime.CompilerServices;
using Varve.Memory;

namespace Varve.Memtables;

/// <summary>
/// The ordered half of the memtable's index: a skiplist whose nodes, on every level, are blocks of up to twelve rows.
/// One writer at a time, any number of readers, no locks, nothing ever removed.
/// </summary>
/// <remarks>
/// <para><b>The problem.</b> Every key is inserted once and seldom read. An insert costs the cache misses that it waits
/// for one after the other, and the branches that the processor cannot predict. Readers walk meanwhile, in both
/// directions, and must see every row that existed before their revision was published, once and in order.</para>
/// <para><b>The obvious design</b> has one key a node, as in LevelDB. At 400,000 keys a search visits 20-odd nodes and
/// reads node and key at each: its upper levels stay cached, but the last seven or so visits are misses, twice. Blocks
/// of keys at the bottom cut the number of nodes by eight, but towers of links above them still decide key by key,
/// sixteen times, each a coin toss for the branch predictor. With blocks on all levels (the B-skiplist of Luo, Hao,
/// Wheatman, Pandey and Xu, 2025) a search is five or six SIMD ranks, of which only the last two lie outside of the
/// nearer caches. Blocks split when they are full instead of by lot, so levels need no random numbers.
/// docs/decisions/0003-block-list-and-hash-directory.md has the figures.</para>
/// <list type="number">
/// <item>A block's anchor never changes and is the key of its first row; the first block of a level has none and stands
/// for the empty key. Anchors strictly ascend along <c>Next</c>. A block holds the rows from its anchor up to the next
/// block's.</item>
/// <item>So a block's range only shrinks, and all that can ever be in it shares the first <c>Prefix</c> bytes with the
/// anchor: <c>Prefix</c> was chosen when the range was at its widest. A block without a right neighbour takes its
/// prefix on trust and is <c>Open</c>: a key that does not share it begins a new block. When a neighbour has come that
/// shares it, the block is closed.</item>
/// <item>A row becomes visible by the store of <c>Order</c>, after its head and reference; a new block by the store in
/// the left neighbour's <c>Next</c>, after all of its contents. Both stores release.</item>
/// <item>A slot in use is never rewritten, but for its reference on level 0, and that by a newer version of the same
/// key.</item>
/// <item>A split first publishes the right block with copies of the upper rows, then enters it in the level above, then
/// truncates the left block's <c>Order</c>, then raises <c>Splits</c>, and only then are the freed slots used again. A
/// reader that reads <c>Splits</c>, <c>Order</c>, the rows, <c>Next</c>, and finds <c>Splits</c> as it was, has rows
/// that once were the block's contents together, and a <c>Next</c> that is at least as new: a row that it lacks because
/// it moved is in a block that it will reach. It may meet a row twice, and drops what is not beyond the last
/// one.</item>
/// <item><c>Previous</c> is some block to the left: from there <c>Next</c> leads back, through every block in
/// between.</item>
/// <item>Levels above 0 only speed things up: a block may not be entered there yet, and then the search ends to the
/// left of it, where <c>Next</c> and whole keys decide. Row 0 of a block above level 0 stays in slot 0.</item>
/// </list>
/// </remarks>
internal sealed partial class BlockList
{
    // SAFETY: the start of the mapped segment, which the memtable keeps mapped longer than its index.
    private readonly unsafe byte* _segment;
    private readonly Arena _blocks;
    // SAFETY: the start of the arena, whose memory stays in place until the index memory is freed or recycled.
    private readonly unsafe byte* _firstLine;
    private readonly uint _first;
    private uint _root;   // the one block of the highest level

    /// <summary>
    /// Creates an empty list over the operations of <paramref name="segment"/>, with an arena of lines.
    /// </summary>
    // SAFETY: the caller owns segment and arena, and keeps both longer than the list.
    public unsafe BlockList(byte* segment, Arena blocks)
    {
        _segment = segment;
        _blocks = blocks;
        _firstLine = blocks.Start;
        _first = _root = Allocate(level: 0, anchor: 0);
    }

    /// <summary>The leftmost block of level 0.</summary>
    public uint First => _first;

    /// <summary>The address of a block.</summary>
    // SAFETY: a block number comes from the arena (`Allocate`), so the address lies in it; the reader's pin keeps it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe RowBlock* At(uint block) => (RowBlock*)(_firstLine + (ulong)block * Arena.LineSize);

    /// <summary>The key of the operation that <paramref name="reference"/> names.</summary>
    // SAFETY: these members read operations of the segment: each reference in a row names one whole finished operation.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe RawKey KeyOf(uint reference) => RawKey.Of(OperationAt(reference));

    /// <summary>The address of the operation that <paramref name="reference"/> names.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe byte* OperationAt(uint reference) => new Format.OperationRef(reference).At(_segment).Start;

    /// <summary>
    /// The rightmost block of level 0 whose anchor is at or below <paramref name="key"/>, or strictly below when
    /// <paramref name="strict"/>.
    /// </summary>
    /// <param name="key">The key to look for.</param>
    /// <param name="strict">True if an equal anchor is beyond the key.</param>
    /// <param name="beyond">The block's right neighbour then, known to be beyond the key; 0: it had none.</param>
    public uint Find(RawKey key, bool strict, out uint beyond)
    {
        beyond = 0;
        return FollowNext(key, strict, Descend(key, strict, 0, ref beyond), ref beyond);
    }

    /// <summary>
    /// The end of a search: walks right by whole keys until the neighbour is <paramref name="beyond"/> or beyond the
    /// key.
    /// </summary>
    // SAFETY: `Next` holds 0 or the number of a block that was published whole.
    public unsafe uint FollowNext(RawKey key, bool strict, uint block, ref uint beyond)
    {
        while (true)
        {
            var next = Volatile.Read(ref At(block)->Next);
            if (next == beyond || next == 0 || !IsAtOrAbove(key, next, strict))
            {
                beyond = next;
                return block;
            }

            block = next;
        }
    }

    /// <summary>A block of level 0 near the right end. There may be newer blocks behind it.</summary>
    // SAFETY: a row above level 0 is a block number; a slot that `Order` counts holds one.
    public unsafe uint FindLast()
    {
        var block = Volatile.Read(ref _root);
        while (At(block)->Level > 0)
        {
            var order = Volatile.Read(ref At(block)->Order);
            block = Volatile.Read(ref At(block)->Rows[RowOrder.SlotOf(order, RowOrder.Count(order) - 1)]);
        }

        return block;
    }

    /// <summary>
    /// Counts the rows of a block below <paramref name="key"/> by their heads, and those with an equal head, which only
    /// whole keys can order.
    /// </summary>
    // SAFETY: these members get a block of this list, with twelve slots; `Prefix` is at most the length of its anchor.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe int Rank(RowBlock* at, RawKey key, ulong order, out int ties)
    {
        if (Volatile.Read(ref at->Open) == 0 || SharesPrefix(at, key))
            return RowBlock.Rank(at, key.Head(at->Prefix), RowOrder.Used(order), out ties);
        ties = 0;
        return RowOrder.Count(order);
    }

    /// <summary>True if a key that is not below the block's anchor shares the block's prefix.</summary>
    // SAFETY: the prefix is no longer than the anchor, and the key's length is compared with it first.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private unsafe bool SharesPrefix(RowBlock* at, RawKey key) =>
        key.Length >= at->Prefix && key.Span[..at->Prefix].SequenceEqual(AnchorOf(at).Span[..at->Prefix]);

    /// <summary>The block of a level that the links lead to, at or left of the one that covers the key.</summary>
    /// <param name="key">The key to look for.</param>
    /// <param name="strict">True if an equal anchor is beyond the key.</param>
    /// <param name="level">The level to stop at.</param>
    /// <param name="beyond">A block of that level that is known to be beyond the key; 0: none is known.</param>
    // SAFETY: a block number that `ChildFor` gives is one of the arena.
    private unsafe uint Descend(RawKey key, bool strict, int level, ref uint beyond)
    {
        var block = Volatile.Read(ref _root);
        while (At(block)->Level > level) block = ChildFor(At(block), key, strict, ref beyond);
        return block;
    }

    /// <summary>
    /// The row of a block above level 0 that leads on to a key; <paramref name="beyond"/> goes down a level with it.
    /// </summary>
    // SAFETY: slots come from `Order` and are below twelve; a torn view of rows is dropped when `Splits` has moved.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private unsafe uint ChildFor(RowBlock* at, RawKey key, bool strict, ref uint beyond)
    {
        while (true)
        {
            var splits = Volatile.Read(ref at->Splits);
            var order = Volatile.Read(ref at->Order);
            var rank = Rank(at, key, order, out var ties);
            if (ties != 0) rank = RankAmongAnchors(at, order, key, strict, rank, ties);
            var child = Volatile.Read(ref at->Rows[RowOrder.SlotOf(order, Math.Max(rank - 1, 0))]);
            var right = rank < RowOrder.Count(order) ? Volatile.Read(ref at->Rows[RowOrder.SlotOf(order, rank)])
                : beyond == 0 ? 0
                : At(beyond)->Rows[0];
            Volatile.ReadBarrier();
            if (at->Splits != splits) continue;
            beyond = right;
            return child;
        }
    }

    // SAFETY: rank + half is below the rows that tied, so the slot is one that `order` counts.
    private unsafe int RankAmongAnchors(RowBlock* at, ulong order, RawKey key, bool strict, int rank, int ties)
    {
        while (ties > 0)
        {
            var half = ties >> 1;
            if (IsAtOrAbove(key, Volatile.Read(ref at->Rows[RowOrder.SlotOf(order, rank + half)]), strict))
            {
                rank += half + 1;
                ties -= half + 1;
            }
            else
            {
                ties = half;
            }
        }

        return rank;
    }

    /// <summary>
    /// True if <paramref name="key"/> is above the block's anchor, or equal to it unless <paramref name="strict"/>.
    /// </summary>
    // SAFETY: these members read the anchor of a block: 0, or an operation that the segment holds.
    private unsafe bool IsAtOrAbove(RawKey key, uint block, bool strict)
    {
        var order = key.CompareTo(AnchorOf(At(block)));
        return order > 0 || (order == 0 && !strict);
    }

    private unsafe RawKey AnchorOf(RowBlock* at) => at->Anchor == 0 ? default : KeyOf(at->Anchor);
}
