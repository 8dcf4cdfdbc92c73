using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memory;

namespace Varve.Memtables;

/// <summary>
/// Walks the rows of a sealed memtable's index in order, for a flush: the newest version of each key. It prefetches
/// blocks and operations long before their use. So it waits for no row, while <see cref="MemtableCursor"/> waits for
/// the first operation of every block. The index has no writer any more, so nothing is read twice.
/// </summary>
/// <remarks>The creator's reference to the memtable outlives the walk. One thread.</remarks>
internal struct SealedWalk
{
    private const int RingSize = 64;
    private const int Ahead = 32; // operations prefetched before their use, beside one block more
    private const int Lines = 3;  // prefetched of an operation; the processor itself foresees later lines

    private readonly BlockList _list;
    // SAFETY: indices are taken modulo the ring's size.
    private unsafe fixed uint _ring[RingSize];
    private uint _block;
    private uint _known;
    private uint _asked;
    private uint _taken;

    /// <summary>Begins before the first row of a sealed index.</summary>
    public SealedWalk(MemtableIndex index)
    {
        _list = index.List;
        _block = _list.First;
    }

    /// <summary>Returns the next row's newest operation; none at the end.</summary>
    // SAFETY: the index is taken modulo the ring's size, and what was taken is behind what is known.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe OperationRef Next()
    {
        if (_asked - _taken < Ahead) LookAhead();
        return _taken == _asked ? default : new OperationRef(_ring[_taken++ % RingSize]);
    }

    // SAFETY: a known row names a finished operation; a prefetch touches nothing.
    private unsafe void LookAhead()
    {
        while (_known - _taken <= RingSize - RowBlock.RowsMax && _known - _asked < RowBlock.RowsMax && _block != 0)
            Take();
        for (; _asked != _known && _asked - _taken < Ahead; _asked++)
        {
            var operation = _list.OperationAt(_ring[_asked % RingSize]);
            for (var line = 0; line < Lines; line++) Prefetch.Line(operation + line * Arena.LineSize);
        }
    }

    /// <summary>Adds a block's rows to the ring, and prefetches the block after it.</summary>
    // SAFETY: the block is one of the list; `Order` counts twelve rows at most, for which the ring has room.
    private unsafe void Take()
    {
        var at = _list.At(_block);
        _block = at->Next;
        if (_block != 0) RowBlock.Prefetch(_list.At(_block));
        var order = at->Order;
        var count = RowOrder.Count(order);
        for (var row = 0; row < count; row++) _ring[_known++ % RingSize] = at->Rows[RowOrder.SlotOf(order, row)];
    }
}
