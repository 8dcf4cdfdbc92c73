using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memory;

namespace Varve.Memtables;

/// <summary>An ordered walk over the rows of a <see cref="MemtableIndex"/>, in both directions.</summary>
/// <remarks>
/// <para>The cursor has a copy of one block's rows, taken at one moment (invariant 5 of <see cref="BlockList"/>), and
/// moves from copy to copy. In either direction it meets each row that existed at its creation exactly once. It may
/// or may not show newer rows.</para>
/// <para>The creator's pin on the memtable outlives the cursor. One thread at a time uses it.</para>
/// </remarks>
internal struct MemtableCursor
{
    private const int RowsLeft = 3; // in a block when the first rows of the next one are prefetched
    private readonly BlockList _list;
    // SAFETY: a block's twelve rows; indices are below `_count`, which `RowOrder.Count` bounds by twelve.
    private unsafe fixed uint _rows[RowBlock.RowsMax];
    private uint _block;
    private uint _next;
    private int _count;
    private int _position;

    /// <summary>Creates a cursor that is not on a row.</summary>
    public MemtableCursor(MemtableIndex index) => _list = index.List;

    /// <summary>True if the cursor is on a row.</summary>
    public readonly bool IsValid => (uint)_position < (uint)_count;

    /// <summary>The row's newest version; valid cursors only. Older ones follow by <c>Prior</c>.</summary>
    // SAFETY: the cursor is valid, so its position is below the count of copied rows.
    public readonly unsafe OperationRef Reference => new(_rows[_position]);

    /// <summary>Moves to the first row.</summary>
    public bool SeekFirst()
    {
        Capture(_list.First);
        _position = 0;
        AskForRowsAbove();
        return IsValid;
    }

    /// <summary>Moves to the last row.</summary>
    public bool SeekLast()
    {
        Capture(_list.FindLast());
        while (_next != 0) Capture(_next);
        _position = _count - 1;
        AskForRowsBelow();
        return IsValid;
    }

    /// <summary>Moves to the first row at or above <paramref name="key"/>.</summary>
    public bool Seek(ReadOnlySpan<byte> key)
    {
        SeekRank(key, strict: false);
        AskForRowsAbove();
        return _position < _count || NextBlock();
    }

    /// <summary>Moves to the last row below <paramref name="key"/>.</summary>
    public bool SeekBefore(ReadOnlySpan<byte> key)
    {
        SeekRank(key, strict: true);
        _position--; // at least the anchor is below the key, unless this is the first block and no row is
        AskForRowsBelow();
        return IsValid;
    }

    /// <summary>Moves to the next row; false at the end, where the cursor is on no row.</summary>
    public bool MoveNext()
    {
        if (!IsValid) return false;
        if (++_position >= _count) return NextBlock();
        if (_position + RowsLeft == _count) AskForFirstRows();
        return true;
    }

    /// <summary>Moves to the row before; false at the start, where the cursor is on no row.</summary>
    public bool MovePrevious()
    {
        if (!IsValid) return false;
        return --_position >= 0 || PreviousBlock();
    }

    /// <summary>
    /// Copies the block that covers the key, and moves to the first of its rows that is not below the key.
    /// </summary>
    // SAFETY: the pad is on this frame and the key is pinned while it is compared.
    private unsafe void SeekRank(ReadOnlySpan<byte> bytes, bool strict)
    {
        var pad = stackalloc byte[RawKey.PadSize];
        fixed (byte* start = bytes)
        {
            var key = RawKey.Pad(start, bytes.Length, pad);
            var block = _list.Find(key, strict, out var beyond);
            while (true)
            {
                var rank = CaptureAround(block, key, out var ties);
                if (_next != beyond)
                {
                    // The block was split after it was found: the key may belong to the new block.
                    var covering = _list.FollowNext(key, strict, block, ref beyond);
                    if (covering != block)
                    {
                        block = covering;
                        continue;
                    }
                }

                _position = ties == 0 ? rank : RankAmongTies(key, rank, ties);
                return;
            }
        }
    }

    // SAFETY: rank + half is below the rows that tied, which were copied.
    private readonly unsafe int RankAmongTies(RawKey key, int rank, int ties)
    {
        while (ties > 0)
        {
            var half = ties >> 1;
            if (_list.KeyOf(_rows[rank + half]).CompareTo(key) < 0)
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

    /// <summary>The first row of the blocks to the right that is beyond the rows already copied.</summary>
    // SAFETY: positions are below the count of copied rows; the creator's pin keeps the operations that they name.
    private unsafe bool NextBlock()
    {
        var last = _count == 0 ? 0 : _rows[_count - 1];
        while (_next != 0)
        {
            Capture(_next);
            _position = 0;
            AskForRowsAbove();
            if (last == 0) return true;
            // The copy before may be older than a split, and then has rows of this block too.
            var bound = _list.KeyOf(last);
            while (_position < _count && _list.KeyOf(_rows[_position]).CompareTo(bound) <= 0) _position++;
            if (_position < _count) return true;
        }

        _count = 0;
        return false;
    }

    /// <summary>The last row below the anchor of the block just left.</summary>
    // SAFETY: the block is one of the list, and has an anchor since it is not the first.
    private unsafe bool PreviousBlock()
    {
        var right = _block;
        if (right == _list.First)
        {
            _count = 0;
            return false;
        }

        var bound = _list.KeyOf(_list.At(right)->Anchor);
        Capture(Volatile.Read(ref _list.At(right)->Previous));
        while (_next != right) Capture(_next);
        // The copy may be older than the split that made the block before.
        _position = _count - 1;
        AskForRowsBelow();
        while (_count > 0 && _list.KeyOf(_rows[_count - 1]).CompareTo(bound) >= 0) _count--;
        _position = _count - 1;
        return IsValid;
    }

    /// <summary>Copies a block's rows in order, with its neighbour.</summary>
    // SAFETY: the block is one of the list; the copy is dropped and made again when `Splits` has moved.
    private unsafe void Capture(uint block)
    {
        var at = _list.At(block);
        uint splits;
        do
        {
            splits = Volatile.Read(ref at->Splits);
            CopyRows(at, Volatile.Read(ref at->Order));
            _next = Volatile.Read(ref at->Next);
            Volatile.ReadBarrier();
        }
        while (at->Splits != splits);
        _block = block;
    }

    /// <summary>
    /// Does what <see cref="Capture"/> does, and ranks <paramref name="key"/> among the rows by their heads.
    /// </summary>
    // SAFETY: the block is one of the list; the copy is dropped and made again when `Splits` has moved.
    private unsafe int CaptureAround(uint block, RawKey key, out int ties)
    {
        var at = _list.At(block);
        uint splits;
        int rank;
        do
        {
            splits = Volatile.Read(ref at->Splits);
            var order = Volatile.Read(ref at->Order);
            rank = _list.Rank(at, key, order, out ties);
            CopyRows(at, order);
            _next = Volatile.Read(ref at->Next);
            Volatile.ReadBarrier();
        }
        while (at->Splits != splits);
        _block = block;
        return rank;
    }

    /// <summary>Prefetches the operations from the cursor's row up, and the block that follows.</summary>
    // SAFETY: rows are copied ones; a prefetch touches nothing.
    private readonly unsafe void AskForRowsAbove()
    {
        for (var row = _position; row < _count; row++) AskForOperation(_rows[row]);
        if (_next != 0) RowBlock.Prefetch(_list.At(_next));
    }

    /// <summary>Prefetches the operations from the cursor's row down, and the block before.</summary>
    // SAFETY: rows are copied ones; a prefetch touches nothing.
    private readonly unsafe void AskForRowsBelow()
    {
        for (var row = _position; row >= 0; row--) AskForOperation(_rows[row]);
        if (_block != _list.First) RowBlock.Prefetch(_list.At(Volatile.Read(ref _list.At(_block)->Previous)));
    }

    /// <summary>
    /// Prefetches the first operations of the block that follows, which was prefetched before. It may read torn rows: a
    /// prefetch of any address does no harm.
    /// </summary>
    // SAFETY: slots come from `Order` and are below twelve; whatever a row holds is prefetched alone.
    private readonly unsafe void AskForFirstRows()
    {
        if (_next == 0) return;
        var at = _list.At(_next);
        var order = Volatile.Read(ref at->Order);
        for (var row = 0; row < Math.Min(RowsLeft, RowOrder.Count(order)); row++)
            AskForOperation(Volatile.Read(ref at->Rows[RowOrder.SlotOf(order, row)]));
    }

    /// <summary>Prefetches two lines: header, key and the beginning of the value.</summary>
    // SAFETY: a prefetch touches nothing.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly unsafe void AskForOperation(uint reference)
    {
        var operation = _list.OperationAt(reference);
        Prefetch.Line(operation);
        Prefetch.Line(operation + Arena.LineSize - 1);
    }

    // SAFETY: `Order` counts twelve rows at most, and its slots are below twelve.
    private unsafe void CopyRows(RowBlock* at, ulong order)
    {
        _count = RowOrder.Count(order);
        for (var row = 0; row < _count; row++) _rows[row] = Volatile.Read(ref at->Rows[RowOrder.SlotOf(order, row)]);
    }
}
