namespace Varve.Memtables;

/// <content>The writer's part: new blocks and new levels.</content>
/// <remarks>
/// A block is complete before <see cref="Publish"/> links it, so readers never wait for the writer.
/// </remarks>
internal sealed partial class BlockList
{
    /// <summary>
    /// The bytes by which the prefix of a block without a right neighbour is shorter than it could be, so that later
    /// keys that differ a little still belong to the block.
    /// </summary>
    private const int PrefixSlack = 4;

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
        // After Next: a reader that sees the block closed sees the neighbour that bounds it.
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
