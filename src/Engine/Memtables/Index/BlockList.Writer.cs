using System.Runtime.CompilerServices;
using Varve.Format;

namespace Varve.Memtables;

/// <content>The writer's part: inserts.</content>
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
}
