namespace Varve.Memtables;

/// <content>The build of a whole list from sorted rows.</content>
/// <remarks>
/// Sorted rows need no search. Blocks are filled from left to right; the level above takes them as its rows, until a
/// level has a single block. A block's prefix is that of all keys of the list: its heads are then those that the rows
/// were sorted by, and no key is read. If these heads differ in too few bits, the prefix is chosen as at a split.
/// </remarks>
internal sealed partial class BlockList
{
    private const int RowsBuilt = 10;   // of twelve: later rows find room without a split
    private const int HeadBitsMin = 16; // a block whose heads differ in fewer bits gets a prefix of its own

    /// <summary>
    /// Fills an empty list that has no reader yet. <paramref name="rows"/> are operations in the order of their keys.
    /// The keys share their first <paramref name="shared"/> bytes, behind which the rows' heads begin. Overwrites the
    /// rows.
    /// </summary>
    // SAFETY: the caller gives `count` rows and owns them; nobody else has the list.
    public unsafe void Build(BuildRow* rows, int count, int shared)
    {
        if (count == 0) return;
        for (var level = 0; level == 0 || count > 1; level++) count = BuildLevel(rows, count, level, shared);
        _root = rows[0].Row;
    }

    /// <summary>Makes the blocks of a level, and replaces its rows by the rows of the next level.</summary>
    // SAFETY: a block gets at most `RowsBuilt` of its twelve slots; writes to `rows` stay behind the reads.
    private unsafe int BuildLevel(BuildRow* rows, int count, int level, int shared)
    {
        var blocks = 0;
        uint previous = 0;
        for (var first = 0; first < count; first += RowsBuilt)
        {
            // The first block of a level stands for the empty key, below any later one.
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
    /// Chooses a block's prefix, and sets its heads. <paramref name="beyond"/> has the anchor of the block to its
    /// right; 0: there is none.
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
