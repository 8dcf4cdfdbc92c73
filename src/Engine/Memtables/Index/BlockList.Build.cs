namespace Varve.Memtables;

/// <content>Building a list at once.</content>
/// <remarks>
/// Rows that are known in order need no search: blocks are filled from the left to the right and then entered in the
/// level above as its rows, until one block is left. The block's prefix is what all keys of the list share, so that
/// heads are those that the rows were sorted by and no key is looked at; only where these heads tell too little, it is
/// chosen as when a block splits.
/// </remarks>
internal sealed partial class BlockList
{
    private const int RowsBuilt = 10;      // full, but for what comes yet
    private const int HeadBitsMin = 16;    // rows that differ in fewer bits of their heads than these are crowded

    /// <summary>
    /// Fills a list that is empty and that nobody reads yet. <paramref name="rows"/> are operations in the order of
    /// their keys, all of which share <paramref name="shared"/> bytes, with the heads that begin there. Uses the rows
    /// up.
    /// </summary>
    // SAFETY: the caller gives `count` rows and owns them; nobody else has the list.
    public unsafe void Build(BuildRow* rows, int count, int shared)
    {
        if (count == 0) return;
        for (var level = 0; level == 0 || count > 1; level++) count = BuildLevel(rows, count, level, shared);
        _root = rows[0].Row;
    }

    /// <summary>Makes the blocks of a level, and its rows the rows of the next.</summary>
    // SAFETY: a block gets at most `RowsBuilt` of its twelve slots; writes to `rows` stay behind the reads.
    private unsafe int BuildLevel(BuildRow* rows, int count, int level, int shared)
    {
        var blocks = 0;
        uint previous = 0;
        for (var first = 0; first < count; first += RowsBuilt)
        {
            // The first stands for the empty key, below all that may come.
            var (head, anchor) = first == 0 ? (0, 0) : (rows[first].Head, rows[first].Anchor);
            var block = first == 0 && level == 0 ? _first : Allocate(level, anchor);
            var end = Math.Min(first + RowsBuilt, count);
            var at = At(block);
            for (var row = first; row < end; row++) at->Rows[row - first] = rows[row].Row;
            SetHeads(at, rows + first, end - first, beyond: end < count ? rows[end].Anchor : 0, shared);
            at->Order = RowOrder.First(end - first);
            at->Previous = previous;
            if (previous != 0) At(previous)->Next = block;
            previous = block;
            rows[blocks++] = new BuildRow { Head = head, Row = block, Anchor = anchor };
        }

        return blocks;
    }

    /// <summary>
    /// Chooses a block's prefix, and sets its heads; <paramref name="beyond"/> has the anchor of the block to its
    /// right, 0: there is none.
    /// </summary>
    // SAFETY: `rows` has `count` entries, no more than a block has slots.
    private unsafe void SetHeads(RowBlock* at, BuildRow* rows, int count, uint beyond, int shared)
    {
        var isBounded = at->Anchor != 0;
        var prefix = !isBounded ? 0
            : !AreCrowded(rows, count) ? shared
            : beyond != 0 ? AnchorOf(at).CommonPrefix(KeyOf(beyond))
            : Math.Max(AnchorOf(at).CommonPrefix(KeyOf(rows[count - 1].Anchor)) - PrefixSlack, shared);
        at->Prefix = (ushort)prefix;
        at->Open = (byte)(beyond == 0 && prefix > 0 ? 1 : 0);
        for (var row = 0; row < count; row++)
            at->Heads[row] = prefix == shared ? rows[row].Head : KeyOfRow(at, rows[row].Row).Head(prefix);
    }

    // SAFETY: indices run below `count`, the length of `rows`.
    private static unsafe bool AreCrowded(BuildRow* rows, int count)
    {
        if (count > 1 && (rows[0].Head ^ rows[count - 1].Head) >> HeadBitsMin == 0) return true;
        for (var row = 1; row < count; row++)
            if (rows[row].Head == rows[row - 1].Head) return true;
        return false;
    }
}
