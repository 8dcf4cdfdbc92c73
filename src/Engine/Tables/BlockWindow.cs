namespace Varve.Tables;

/// <summary>
/// The blocks that a walk over a table with a <see cref="TableResidency"/> has seen in memory: one at a seek, and twice as many bytes with every move
/// beyond them, so that a short walk reads little that it does not need and a long one asks seldom. As long as something had to be read, what comes
/// next is on its way while the walk goes over what it has. A plain value, of one walk.
/// </summary>
internal struct BlockWindow
{
    private const long BytesMin = 8 << 10;
    private const long BytesMax = 128 << 10;

    private int begin;
    private int end;
    private long bytes;
    private bool isCold;

    public readonly bool Contains(int number) => number >= begin && number < end;

    /// <summary>Moves to a block outside of the window.</summary>
    /// <param name="number">The block.</param>
    /// <param name="least">The first block that the walk can come to.</param>
    /// <param name="most">The last one.</param>
    /// <param name="residency">Of the table.</param>
    /// <param name="index">Of the table.</param>
    /// <exception cref="IOException">The device cannot read it.</exception>
    public void MoveTo(int number, int least, int most, TableResidency residency, in TableIndexReader index)
    {
        bool isUp = bytes != 0 && number == end, isDown = bytes != 0 && number == begin - 1;
        bool goesOn = isUp || isDown;
        bytes = goesOn ? Math.Min(2 * bytes, BytesMax) : BytesMin;
        int first = isDown ? BeginOf(number + 1, least, bytes, index) : number;
        int after = isUp ? EndOf(number, most, bytes, index) : number + 1;
        bool wasResident = residency.Ensure(index.BlockOffset(first), index.BlockOffset(after) - index.BlockOffset(first));
        (begin, end, isCold) = (first, after, !wasResident || goesOn && isCold); // not before: what could not be read must not be touched
        long next = Math.Min(2 * bytes, BytesMax);
        if (isCold && isUp && end <= most)
            Begin(end, EndOf(end, most, next, index), residency, index);
        else if (isCold && isDown && begin > least)
            Begin(BeginOf(begin, least, next, index), begin, residency, index);
    }

    private static void Begin(int first, int after, TableResidency residency, in TableIndexReader index) =>
        residency.Begin(index.BlockOffset(first), index.BlockOffset(after) - index.BlockOffset(first));

    /// <summary>The end of as many blocks from one on as the bytes hold, one at least.</summary>
    private static int EndOf(int first, int most, long bytes, in TableIndexReader index)
    {
        int after = first + 1;
        while (after <= most && index.BlockOffset(after + 1) - index.BlockOffset(first) <= bytes)
            after++;
        return after;
    }

    /// <summary>The first of as many blocks before one as the bytes hold, one at least.</summary>
    private static int BeginOf(int after, int least, long bytes, in TableIndexReader index)
    {
        int first = after - 1;
        while (first > least && index.BlockOffset(after) - index.BlockOffset(first - 1) <= bytes)
            first--;
        return first;
    }
}
