namespace Varve.Tables;

/// <summary>
/// The blocks that a walk over a table with a <see cref="TableResidency"/> has found resident: one block at a seek, and
/// twice the bytes with every move beyond the window. So a short walk reads little in vain, and a long one asks seldom.
/// While blocks have to be read, the next ones are read ahead of the walk. A plain value, of one walk.
/// </summary>
internal struct BlockWindow
{
    private const long BytesMin = 8 << 10;
    private const long BytesMax = 128 << 10;

    private int _begin;
    private int _end;
    private long _bytes;
    private bool _isCold;

    public readonly bool Contains(int number) => number >= _begin && number < _end;

    /// <summary>Moves to a block outside of the window.</summary>
    /// <param name="number">The number of the block.</param>
    /// <param name="least">The first block that the walk can reach.</param>
    /// <param name="most">The last block that the walk can reach.</param>
    /// <param name="residency">The table's residency.</param>
    /// <param name="index">The table's index.</param>
    /// <exception cref="IOException">The device cannot read the block.</exception>
    public void MoveTo(int number, int least, int most, TableResidency residency, in TableIndexReader index)
    {
        bool isUp = _bytes != 0 && number == _end, isDown = _bytes != 0 && number == _begin - 1;
        var continues = isUp || isDown;
        _bytes = continues ? Math.Min(2 * _bytes, BytesMax) : BytesMin;
        var first = isDown ? BeginOf(number + 1, least, _bytes, index) : number;
        var after = isUp ? EndOf(number, most, _bytes, index) : number + 1;
        var wasResident = residency.Ensure(
            index.BlockOffset(first), index.BlockOffset(after) - index.BlockOffset(first));
        // Only now: a block that could not be read must not be touched.
        (_begin, _end, _isCold) = (first, after, !wasResident || continues && _isCold);
        var next = Math.Min(2 * _bytes, BytesMax);
        if (_isCold && isUp && _end <= most)
            Begin(_end, EndOf(_end, most, next, index), residency, index);
        else if (_isCold && isDown && _begin > least)
            Begin(BeginOf(_begin, least, next, index), _begin, residency, index);
    }

    private static void Begin(int first, int after, TableResidency residency, in TableIndexReader index) =>
        residency.Begin(index.BlockOffset(first), index.BlockOffset(after) - index.BlockOffset(first));

    /// <summary>The end of as many blocks, from the first on, as fit into the bytes; at least one.</summary>
    private static int EndOf(int first, int most, long bytes, in TableIndexReader index)
    {
        var after = first + 1;
        while (after <= most && index.BlockOffset(after + 1) - index.BlockOffset(first) <= bytes)
            after++;
        return after;
    }

    /// <summary>The first of as many blocks, before the end, as fit into the bytes; at least one.</summary>
    private static int BeginOf(int after, int least, long bytes, in TableIndexReader index)
    {
        var first = after - 1;
        while (first > least && index.BlockOffset(after) - index.BlockOffset(first - 1) <= bytes)
            first--;
        return first;
    }
}
