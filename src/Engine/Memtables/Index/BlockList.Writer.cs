using System.Runtime.CompilerServices;
using Varve.Format;

namespace Varve.Memtables;

/// <content>The writer's part: inserts and splits.</content>
/// <remarks>
/// The writer sees its own stores, so to it every level is exact. It remembers the block whose last row the last insert
/// became. Keys in ascending order, at the end of the list or within it, are then added after that row without a
/// search. A full block is not split in such a run: a new block begins after it.
/// </remarks>
internal sealed partial class BlockList
{
    /// <summary>
    /// A block that covers a key, or is left of the one that does, and a block beyond the key. The default value is the
    /// place of the last insert.
    /// </summary>
    public readonly record struct Place(uint Block, uint Beyond);

    private const int RowsKeptBySplit = RowBlock.RowsMax / 2;

    /// <summary>
    /// The bytes by which the prefix of a block without a right neighbour is shorter than it could be, so that later
    /// keys that differ a little still belong to the block.
    /// </summary>
    private const int PrefixSlack = 4;

    private uint _run;   // the block of level 0 whose last row was inserted last; 0: none

    /// <summary>
    /// Inserts an operation: as a new row if it has no prior version, otherwise as the newest version of the row that
    /// has the prior version.
    /// </summary>
    /// <exception cref="InvalidOperationException">No row has the prior version.</exception>
    // SAFETY: the reference names a finished operation of the segment.
    public unsafe void Insert(uint reference)
    {
        var key = KeyOf(reference);
        if (_run != 0 && new WalOperationView(OperationAt(reference)).Prior.IsNone && ContinuesRun(key))
            Add(_run, key, reference, isRun: true);
        else Enter(Find(key, strict: false, out _), key, reference);
    }

    /// <summary>
    /// The first half of an insert: finds the place of a key's row, and prefetches what the second half reads. Changes
    /// nothing. Other inserts do not invalidate the place.
    /// </summary>
    // SAFETY: the pad is on this frame and the key is pinned; the place that is returned has block numbers alone.
    public unsafe Place Locate(ReadOnlySpan<byte> bytes)
    {
        var pad = stackalloc byte[RawKey.PadSize];
        fixed (byte* start = bytes)
        {
            var key = RawKey.Pad(start, bytes.Length, pad);
            if (_run != 0 && ContinuesRun(key)) return default;
            uint beyond = 0;
            var block = Descend(key, strict: false, 0, ref beyond);
            RowBlock.Prefetch(At(block));
            return new Place(block, beyond);
        }
    }

    /// <summary>
    /// Prefetches what a split in a place reads. For some time after <see cref="Locate"/>, once the place itself is in
    /// the cache.
    /// </summary>
    // SAFETY: the place has a block of this list.
    public unsafe void PrefetchForSplit(Place place)
    {
        if (place.Block != 0) PrefetchForSplit(At(place.Block));
    }

    /// <summary>The second half of an insert: of the key whose place <see cref="Locate"/> found.</summary>
    public void InsertAt(Place place, uint reference)
    {
        if (place.Block == 0)
        {
            Insert(reference);
            return;
        }

        var key = KeyOf(reference);
        var beyond = place.Beyond;
        Enter(FollowNext(key, strict: false, place.Block, ref beyond), key, reference);
    }

    /// <summary>Inserts into the block that covers the key.</summary>
    // SAFETY: the reference names a finished operation of the segment; the block is of this list.
    private unsafe void Enter(uint block, RawKey key, uint reference)
    {
        var prior = new WalOperationView(OperationAt(reference)).Prior.Value;
        if (prior == 0) Add(block, key, reference, isRun: false);
        else Replace(At(block), prior, reference);
    }

    // SAFETY: `SlotWith` gives a slot below twelve or -1.
    private static unsafe void Replace(RowBlock* at, uint prior, uint reference)
    {
        var slot = RowBlock.SlotWith(at, prior);
        if (slot < 0)
            throw new InvalidOperationException("The operation's prior version is not the newest of its key.");
        Volatile.Write(ref at->Rows[slot], reference);
    }

    /// <summary>
    /// Adds a row to <paramref name="block"/>, which covers the new key. <paramref name="isRun"/> is true if the row
    /// becomes its last and more such rows will probably follow.
    /// </summary>
    // SAFETY: a block that is not full has a free slot below twelve; a full one is split first.
    private unsafe void Add(uint block, RawKey key, uint row, bool isRun)
    {
        var at = At(block);
        var count = RowOrder.Count(at->Order);
        if (at->Open != 0 && !SharesPrefix(at, key))
        {
            Append(block, key, row);
            return;
        }

        var rank = RankOf(at, key);
        if (count == RowBlock.RowsMax)
        {
            if (isRun || (rank == count && at->Level > 0))
            {
                Append(block, key, row);
                return;
            }

            var right = Split(block);
            count = RowsKeptBySplit;
            if (rank > count)
            {
                Add(right, key, row, isRun); // it may have another prefix
                return;
            }
        }

        var slot = RowOrder.FreeSlot(at->Order);
        at->Heads[slot] = key.Head(at->Prefix);
        Volatile.Write(ref at->Rows[slot], row);
        Volatile.Write(ref at->Order, RowOrder.Insert(at->Order, rank, slot));
        if (at->Level == 0) _run = rank == count ? block : 0;
    }

    /// <summary>True if <paramref name="key"/> belongs directly after the last row of the run's block.</summary>
    // SAFETY: the run's block has one row at least, and its rows name operations of the segment.
    private unsafe bool ContinuesRun(RawKey key)
    {
        var run = At(_run);
        var last = RowOrder.SlotOf(run->Order, RowOrder.Count(run->Order) - 1);
        return key.CompareTo(KeyOf(run->Rows[last])) > 0
            && (run->Next == 0 || key.CompareTo(AnchorOf(At(run->Next))) < 0);
    }

    /// <summary>
    /// Counts the rows of the block below <paramref name="key"/>. Compares whole keys only if heads are equal.
    /// </summary>
    // SAFETY: the block is of this list; `Rank` reads its twelve heads.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private unsafe int RankOf(RowBlock* at, RawKey key)
    {
        var rank = RowBlock.Rank(at, key.Head(at->Prefix), RowOrder.Used(at->Order), out var ties);
        return ties == 0 ? rank : RankAmongTies(at, key, rank, ties);
    }

    // SAFETY: rank + half is below the rows that tied, so the slot is one that `Order` counts.
    private unsafe int RankAmongTies(RowBlock* at, RawKey key, int rank, int ties)
    {
        while (ties > 0)
        {
            var half = ties >> 1;
            if (KeyOfRow(at, at->Rows[RowOrder.SlotOf(at->Order, rank + half)]).CompareTo(key) < 0)
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

    // SAFETY: a row is an operation on level 0, else a block number of the arena.
    private unsafe RawKey KeyOfRow(RowBlock* at, uint row) => at->Level == 0 ? KeyOf(row) : AnchorOf(At(row));

    /// <summary>Begins a block with one row after <paramref name="left"/>, all of whose rows are below it.</summary>
    // SAFETY: both blocks are of the arena; the new one has its first slot free, and the left one has a last row.
    private unsafe void Append(uint left, RawKey key, uint row)
    {
        var from = At(left);
        var right = Allocate(from->Level, from->Level == 0 ? row : At(row)->Anchor);
        var to = At(right);
        ChoosePrefix(
            to, from->Next, KeyOfRow(from, from->Rows[RowOrder.SlotOf(from->Order, RowOrder.Count(from->Order) - 1)]));
        to->Heads[0] = key.Head(to->Prefix);
        to->Rows[0] = row;
        to->Order = RowOrder.First(1);
        Publish(left, right);
        if (to->Level == 0) _run = right;
    }

    /// <summary>Moves the upper half of the full block <paramref name="left"/> to a new block after it.</summary>
    // SAFETY: the left block is full: it has twelve rows, of which the upper six are copied to an empty block.
    private unsafe uint Split(uint left)
    {
        var from = At(left);
        var order = from->Order;
        var middle = from->Rows[RowOrder.SlotOf(order, RowsKeptBySplit)];
        var right = Allocate(from->Level, from->Level == 0 ? middle : At(middle)->Anchor);
        var to = At(right);
        const int Moved = RowBlock.RowsMax - RowsKeptBySplit;
        for (var row = 0; row < Moved; row++)
        {
            var slot = RowOrder.SlotOf(order, RowsKeptBySplit + row);
            to->Heads[row] = from->Heads[slot];
            to->Rows[row] = from->Rows[slot];
        }

        to->Order = RowOrder.First(Moved);
        to->Prefix = from->Prefix;
        to->Open = from->Open;
        var headsAreCrowded = (to->Heads[0] ^ to->Heads[Moved - 1]) >> 32 == 0;
        if (headsAreCrowded)
        {
            ChoosePrefix(to, from->Next, KeyOfRow(to, to->Rows[Moved - 1]));
            for (var row = 0; row < Moved; row++) to->Heads[row] = KeyOfRow(to, to->Rows[row]).Head(to->Prefix);
        }

        Publish(left, right);
        Volatile.Write(ref from->Order, RowOrder.Truncate(order, RowsKeptBySplit));
        Volatile.Write(ref from->Splits, from->Splits + 1);
        Volatile.WriteBarrier();   // before any store to a freed slot
        return right;
    }

    /// <summary>
    /// Chooses a new block's prefix: the bytes that its anchor shares with that of the block to its right. If there is
    /// none, a few bytes less than it shares with a neighbouring key (<paramref name="kin"/>): an assumption, which
    /// later keys may refute.
    /// </summary>
    // SAFETY: both blocks are of this list; a prefix is no longer than the anchor that it is shared with.
    private unsafe void ChoosePrefix(RowBlock* at, uint next, RawKey kin)
    {
        var shared = AnchorOf(at).CommonPrefix(next != 0 ? AnchorOf(At(next)) : kin);
        at->Prefix = (ushort)(next != 0 ? shared : Math.Max(shared - PrefixSlack, 0));
        at->Open = (byte)(next == 0 && at->Prefix > 0 ? 1 : 0);
    }

    // SAFETY: the arena gives three clear lines, the size of a block, or throws.
    private unsafe uint Allocate(int level, uint anchor)
    {
        var block = _blocks.Allocate(RowBlock.Lines);
        At(block)->Level = (byte)level;
        At(block)->Anchor = anchor;
        return block;
    }

    /// <summary>
    /// Links the complete block <paramref name="right"/> after <paramref name="left"/>, and enters it in the level
    /// above.
    /// </summary>
    // SAFETY: both blocks are of the arena; a neighbour's number is 0 or of the arena too.
    private unsafe void Publish(uint left, uint right)
    {
        var from = At(left);
        var to = At(right);
        var next = from->Next;
        to->Next = next;
        to->Previous = left;
        Volatile.Write(ref from->Next, right);
        if (next != 0 && to->Level == 0) Volatile.Write(ref At(next)->Previous, right);
        var anchor = AnchorOf(to);
        // After Next: who sees it closed sees what bounds it.
        if (from->Open != 0 && SharesPrefix(from, anchor)) Volatile.Write(ref from->Open, (byte)0);
        if (At(_root)->Level == to->Level) Grow(right, anchor);
        else LinkAbove(right, anchor);
    }

    // SAFETY: the block is of the arena and has a level.
    private unsafe void LinkAbove(uint block, RawKey anchor)
    {
        uint beyond = 0;
        Add(Descend(anchor, strict: false, At(block)->Level + 1, ref beyond), anchor, block, isRun: false);
    }

    /// <summary>Adds a level with two rows: the root, and the block that split off it.</summary>
    // SAFETY: the new root is an empty block; two of its twelve slots are filled.
    private unsafe void Grow(uint right, RawKey anchor)
    {
        var root = Allocate(At(right)->Level + 1, anchor: 0);
        var at = At(root);
        at->Rows[0] = _root;
        at->Rows[1] = right;
        at->Heads[1] = anchor.Head(0);
        at->Order = RowOrder.First(2);
        Volatile.Write(ref _root, root);
    }
}
