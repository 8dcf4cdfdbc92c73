using System.Numerics;
using System.Runtime.CompilerServices;
using Varve.Format;

namespace Varve.Memtables;

/// <content>What only the writer does.</content>
/// <remarks>
/// The writer sees its own stores, so to it every link is exact. It remembers the block where the last insert became the
/// last row: keys that arrive in ascending order, at the end of the list or within it, are put
/// behind one another without a search, and a full block is then not split but left full, with a new one begun behind it.
/// </remarks>
internal sealed unsafe partial class BlockList
{
    private const int RowsKeptBySplit = RowBlock.RowsMax / 2;

    private uint _run;                // the block whose last row was inserted last; 0: none
    private ulong _random = 0x9E37_79B9_7F4A_7C15;

    /// <summary>
    /// Enters an operation: a new row when it has no prior version, else the newest version of the row that has its prior.
    /// </summary>
    /// <exception cref="InvalidOperationException">No row has the prior version.</exception>
    public void Insert(uint reference)
    {
        var prior = new WalOperationView(OperationAt(reference)).Prior;
        var key = KeyOf(reference);
        if (prior != 0) Replace(Find(key, strict: false, out _), prior, reference);
        else if (_run != 0 && ContinuesRun(key)) Add(_run, key, reference, isRun: true);
        else Add(Find(key, strict: false, out _), key, reference, isRun: false);
    }

    private void Replace(uint block, uint prior, uint reference)
    {
        var slot = RowBlock.SlotWith(BlockOf(block), prior);
        if (slot < 0) throw new InvalidOperationException("The operation's prior version is not the newest of its key.");
        Volatile.Write(ref BlockOf(block)->Rows[slot], reference);
    }

    /// <summary>Adds a row to <paramref name="block"/>, which covers the new key.</summary>
    private void Add(uint block, RawKey key, uint reference, bool isRun)
    {
        var at = BlockOf(block);
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
                at = BlockOf(right);
                head = key.Head(at->Prefix);
            }
        }

        var slot = RowOrder.FreeSlot(at->Order);
        at->Heads[slot] = head;
        at->Rows[slot] = reference;
        Volatile.Write(ref at->Order, RowOrder.Insert(at->Order, rank, slot));
        _run = rank == count ? block : 0;
    }

    /// <summary>Whether <paramref name="key"/> belongs right behind the last row of the run's block.</summary>
    private bool ContinuesRun(RawKey key)
    {
        var run = BlockOf(_run);
        var next = At(_run)->Next;
        var last = RowOrder.SlotOf(run->Order, RowOrder.Count(run->Order) - 1);
        return key.CompareTo(KeyOf(run->Rows[last])) > 0
            && (next == 0 || key.CompareTo(KeyOf(At(next)->Anchor)) < 0);
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
        var height = NextHeight();
        var right = Allocate(reference, height);
        var at = BlockOf(right);
        var next = At(left)->Next;
        if (next != 0) at->Prefix = (ushort)key.CommonPrefix(KeyOf(At(next)->Anchor));
        at->Heads[0] = key.Head(at->Prefix);
        at->Rows[0] = reference;
        at->Order = RowOrder.First(1);
        Publish(left, right, height);
        return right;
    }

    /// <summary>Moves the upper half of the full block <paramref name="left"/> to a new block behind it.</summary>
    private uint Split(uint left)
    {
        var from = BlockOf(left);
        var order = from->Order;
        var height = NextHeight();
        var right = Allocate(from->Rows[RowOrder.SlotOf(order, RowsKeptBySplit)], height);
        var to = BlockOf(right);
        var next = At(left)->Next;
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
        if (headsAreCrowded && next != 0)
        {
            to->Prefix = (ushort)KeyOf(At(right)->Anchor).CommonPrefix(KeyOf(At(next)->Anchor));
            for (var row = 0; row < Moved; row++) to->Heads[row] = KeyOf(to->Rows[row]).Head(to->Prefix);
        }

        Publish(left, right, height);
        Volatile.Write(ref from->Order, RowOrder.Truncate(order, RowsKeptBySplit));
        Volatile.Write(ref from->Splits, from->Splits + 1);
        Volatile.WriteBarrier();   // before any store to a freed slot
        return right;
    }

    /// <summary>One level more with probability 1/2: the links decide without a look at the target, so a search pays for towers it moves to,
    /// and those are fewest with many small steps in height.</summary>
    private int NextHeight()
    {
        _random ^= _random << 13;
        _random ^= _random >> 7;
        _random ^= _random << 17;
        return Math.Min(1 + BitOperations.TrailingZeroCount(_random), Tower.HeightMax);
    }

    private uint Allocate(uint anchor, int height)
    {
        var tower = _towers.Allocate(1 + height);
        At(tower)->Block = _blocks.Allocate(RowBlock.Lines);
        At(tower)->Anchor = anchor;
        return tower;
    }

    /// <summary>Puts the complete block <paramref name="right"/> behind <paramref name="left"/> and into the levels above.</summary>
    private void Publish(uint left, uint right, int height)
    {
        var at = At(right);
        var anchor = KeyOf(at->Anchor);
        var next = At(left)->Next;
        var path = stackalloc uint[Tower.HeightMax + 1];
        for (var level = _height + 1; level <= height; level++) path[level] = _first;
        Find(anchor, strict: false, out _, path);
        at->Next = next;
        at->Previous = left;
        for (var level = 1; level <= height; level++)
        {
            var target = Tower.LinkOf(At(path[level]), level)->Target;
            if (target != 0) SetLink(Tower.LinkOf(at, level), anchor, target, KeyOf(At(target)->Anchor));
        }

        Volatile.Write(ref At(left)->Next, right);
        if (next != 0) Volatile.Write(ref At(next)->Previous, right);
        for (var level = 1; level <= height; level++)
        {
            var before = At(path[level]);
            SetLink(Tower.LinkOf(before, level), before->Anchor == 0 ? default : KeyOf(before->Anchor), right, anchor);
        }

        if (height > _height) Volatile.Write(ref _height, height);
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
}
