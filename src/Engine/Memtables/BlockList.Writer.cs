using System.Numerics;
using System.Runtime.CompilerServices;

namespace Varve.Memtables;

/// <content>What only the writer does.</content>
/// <remarks>
/// The writer sees its own stores, so to it every link is exact. It keeps the path of its last search and the block where
/// the last insert became the last row: keys that arrive in ascending order, at the end of the list or within it, are put
/// behind one another without a search, and a full block is then not split but left full, with a new one begun behind it.
/// </remarks>
internal sealed unsafe partial class BlockList
{
    private const int RowsKeptBySplit = RowBlock.RowsMax / 2;

    private readonly uint* _path;     // where a search for a key of the run's block leaves each level
    private uint _run;                // the block whose last row was inserted last; 0: none
    private ulong _random = 0x9E37_79B9_7F4A_7C15;

    /// <summary>Adds a row for a key that has none.</summary>
    public void Add(uint reference)
    {
        var key = KeyOf(reference);
        var isRun = _run != 0 && ContinuesRun(key);
        var block = isRun ? _run : Find(key, strict: false, out _, _path);
        var at = At(block);
        var head = key.Head(at->Prefix);
        var rank = RankOf(at, key, head);
        var count = RowOrder.Count(at->Order);
        if (count == RowBlock.RowsMax)
        {
            if (isRun)
            {
                _run = Append(block, key, reference);
                return;
            }

            var right = Split(block);
            count = RowsKeptBySplit;
            if (rank > RowsKeptBySplit)
            {
                rank -= RowsKeptBySplit;
                count = RowBlock.RowsMax - RowsKeptBySplit;
                block = right;
                at = At(right);
                head = key.Head(at->Prefix);
                EnterPath(right);
            }
        }

        var slot = RowOrder.FreeSlot(at->Order);
        at->Heads[slot] = head;
        at->Rows[slot] = reference;
        Volatile.Write(ref at->Order, RowOrder.Insert(at->Order, rank, slot));
        _run = rank == count ? block : 0;
    }

    /// <summary>Makes <paramref name="reference"/> the newest version in the row that has <paramref name="prior"/>.</summary>
    /// <exception cref="InvalidOperationException">No row has it.</exception>
    public void Replace(uint prior, uint reference)
    {
        var block = At(Find(KeyOf(reference), strict: false, out _));
        var slot = RowBlock.SlotWith(block, prior);
        if (slot < 0) throw new InvalidOperationException("The operation's prior version is not the newest of its key.");
        Volatile.Write(ref block->Rows[slot], reference);
    }

    /// <summary>Whether <paramref name="key"/> belongs right behind the last row of the run's block.</summary>
    private bool ContinuesRun(RawKey key)
    {
        var run = At(_run);
        var last = RowOrder.SlotOf(run->Order, RowOrder.Count(run->Order) - 1);
        return key.CompareTo(KeyOf(run->Rows[last])) > 0
            && (run->Next == 0 || key.CompareTo(KeyOf(At(run->Next)->Anchor)) < 0);
    }

    /// <summary>How many rows of the block are below <paramref name="key"/>. Equal heads are told apart by their keys.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int RankOf(RowBlock* block, RawKey key, ulong head)
    {
        var rank = RowBlock.Rank(block, head, RowOrder.Used(block->Order), out var ties);
        return ties == 0 ? rank : RankAmongTies(block, key, rank, ties);
    }

    private int RankAmongTies(RowBlock* block, RawKey key, int rank, int ties)
    {
        while (ties > 0)
        {
            var half = ties >> 1;
            if (KeyOf(block->Rows[RowOrder.SlotOf(block->Order, rank + half)]).CompareTo(key) < 0)
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

    /// <summary>Begins a block with one row behind the full block <paramref name="left"/>.</summary>
    private uint Append(uint left, RawKey key, uint reference)
    {
        var right = Allocate(reference);
        var at = At(right);
        var next = At(left)->Next;
        if (next != 0) at->Prefix = (ushort)key.CommonPrefix(KeyOf(At(next)->Anchor));
        at->Heads[0] = key.Head(at->Prefix);
        at->Rows[0] = reference;
        at->Order = RowOrder.First(1);
        Publish(left, right);
        EnterPath(right);
        return right;
    }

    /// <summary>Moves the upper half of the full block <paramref name="left"/> to a new block behind it.</summary>
    private uint Split(uint left)
    {
        var from = At(left);
        var order = from->Order;
        var right = Allocate(from->Rows[RowOrder.SlotOf(order, RowsKeptBySplit)]);
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
        var headsAreCrowded = (to->Heads[0] ^ to->Heads[Moved - 1]) >> 32 == 0;
        if (headsAreCrowded && from->Next != 0)
        {
            to->Prefix = (ushort)KeyOf(to->Anchor).CommonPrefix(KeyOf(At(from->Next)->Anchor));
            for (var row = 0; row < Moved; row++) to->Heads[row] = KeyOf(to->Rows[row]).Head(to->Prefix);
        }

        Publish(left, right);
        Volatile.Write(ref from->Order, RowOrder.Truncate(order, RowsKeptBySplit));
        Volatile.Write(ref from->Splits, from->Splits + 1);
        Volatile.WriteBarrier();   // before any store to a freed slot
        return right;
    }

    private uint Allocate(uint anchor)
    {
        _random ^= _random << 13;
        _random ^= _random >> 7;
        _random ^= _random << 17;
        var height = Math.Min(1 + BitOperations.TrailingZeroCount(_random) / 2, RowBlock.HeightMax);
        var block = _arena.Allocate(RowBlock.LinesOf(height));
        At(block)->Anchor = anchor;
        At(block)->Height = (byte)height;
        return block;
    }

    /// <summary>Puts the complete block <paramref name="right"/> behind <paramref name="left"/> and into the levels above.</summary>
    private void Publish(uint left, uint right)
    {
        var at = At(right);
        var anchor = KeyOf(at->Anchor);
        var next = At(left)->Next;
        at->Next = next;
        at->Previous = left;
        for (var level = 1; level <= at->Height; level++)
        {
            var target = RowBlock.LinkOf(At(_path[level]), level)->Target;
            if (target != 0) SetLink(RowBlock.LinkOf(at, level), anchor, target, KeyOf(At(target)->Anchor));
        }

        Volatile.Write(ref At(left)->Next, right);
        if (next != 0) Volatile.Write(ref At(next)->Previous, right);
        for (var level = 1; level <= at->Height; level++)
        {
            var before = At(_path[level]);
            SetLink(RowBlock.LinkOf(before, level), before->Anchor == 0 ? default : KeyOf(before->Anchor), right, anchor);
        }

        if (at->Height > _height) Volatile.Write(ref _height, at->Height);
    }

    private static void SetLink(BlockLink* link, RawKey from, uint target, RawKey to)
    {
        var shared = from.CommonPrefix(to);
        Volatile.Write(ref link->Target, 0);
        Volatile.WriteBarrier();
        link->Head = to.Head(shared);
        link->Shared = (ushort)shared;
        link->HeadLength = (byte)Math.Min(sizeof(ulong), to.Length - shared);
        Volatile.Write(ref link->Target, target);
    }

    private void EnterPath(uint block)
    {
        for (var level = 1; level <= At(block)->Height; level++) _path[level] = block;
    }
}
