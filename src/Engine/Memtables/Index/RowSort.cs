using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memory;

namespace Varve.Memtables;

/// <summary>Sorts rows by the keys of their operations.</summary>
/// <remarks>
/// First by heads, which the rows have: a radix sort, byte by byte from the last to the first, which skips a byte that
/// all heads share. Rows of equal heads are then sorted by their keys, each a cache miss in the segment. A few are
/// compared. Many get new heads, from the bytes behind their common prefix, and are sorted by these. Keys that an
/// attacker made so that this repeats are compared in the end, at a cost of at most some twenty times the segment.
/// </remarks>
internal readonly struct RowSort
{
    private const int FewMax = 16;
    private const int RadixMin = 256;
    private const int DepthMax = 16;
    private const int Ahead = 16;
    // SAFETY: these members are memory of the caller, which keeps it while it sorts.
    private readonly unsafe byte* _segment;
    private readonly unsafe BuildRow* _spare;

    /// <param name="segment">The segment of the rows' operations.</param>
    /// <param name="spare">Memory for as many rows as are sorted.</param>
    // SAFETY: the caller keeps segment and spare rows while it sorts.
    public unsafe RowSort(byte* segment, BuildRow* spare)
    {
        _segment = segment;
        _spare = spare;
    }

    /// <summary>
    /// Sorts rows of different keys, one at least, and sets their heads to the bytes behind the keys' common prefix.
    /// Returns the length of that prefix.
    /// </summary>
    // SAFETY: `rows` has `count` entries, and the spare memory as many.
    public unsafe int Sort(BuildRow* rows, int count)
    {
        var shared = SetHeads(rows, count);
        Sort(rows, count, 0);
        return shared;
    }

    // SAFETY: `rows` has `count` entries, and the spare memory as many.
    private unsafe void Sort(BuildRow* rows, int count, int depth)
    {
        SortByHeads(rows, count);
        for (var first = 0; first < count;)
        {
            var head = rows[first].Head;
            var end = first + 1;
            while (end < count && rows[end].Head == head) end++;
            if (end - first > 1) SortEqual(rows + first, end - first, depth);
            first = end;
        }
    }

    /// <summary>Sorts rows of equal heads.</summary>
    // SAFETY: `rows` has `count` entries, and the spare memory as many.
    private unsafe void SortEqual(BuildRow* rows, int count, int depth)
    {
        if (count <= FewMax)
        {
            SortFew(rows, count);
            return;
        }

        var head = rows[0].Head;
        SetHeads(rows, count);
        if (depth < DepthMax && HaveSeveralHeads(rows, count)) Sort(rows, count, depth + 1);
        else new Span<BuildRow>(rows, count).Sort(new ByKey(_segment));
        for (var row = 0; row < count; row++) rows[row].Head = head;
    }

    // SAFETY: indices run from 0 to below `count`.
    private unsafe void SortFew(BuildRow* rows, int count)
    {
        for (var next = 1; next < count; next++)
        {
            var row = rows[next];
            var key = KeyOf(row.Row);
            var at = next;
            for (; at > 0 && KeyOf(rows[at - 1].Row).CompareTo(key) > 0; at--) rows[at] = rows[at - 1];
            rows[at] = row;
        }
    }

    /// <summary>Sets the heads to the bytes behind the keys' common prefix, and returns its length.</summary>
    // SAFETY: indices run below `count`; a row names a finished operation of the segment.
    private unsafe int SetHeads(BuildRow* rows, int count)
    {
        var first = KeyOf(rows[0].Row);
        var shared = first.Length;
        for (var row = 1; row < count && shared > 0; row++)
        {
            if (row + Ahead < count) Prefetch.Line(Operation(rows[row + Ahead].Row));
            shared = Math.Min(shared, first.CommonPrefix(KeyOf(rows[row].Row)));
        }

        for (var row = 0; row < count; row++)
        {
            if (row + Ahead < count) Prefetch.Line(Operation(rows[row + Ahead].Row));
            rows[row].Head = KeyOf(rows[row].Row).Head(shared);
        }

        return shared;
    }

    // SAFETY: indices run below `count`.
    private static unsafe bool HaveSeveralHeads(BuildRow* rows, int count)
    {
        for (var row = 1; row < count; row++)
            if (rows[row].Head != rows[0].Head) return true;
        return false;
    }

    // SAFETY: the counts are on this frame, 256 for each of eight bytes; rows and spare memory have `count` entries.
    private unsafe void SortByHeads(BuildRow* rows, int count)
    {
        if (count < RadixMin)
        {
            new Span<BuildRow>(rows, count).Sort(static (x, y) => x.Head.CompareTo(y.Head));
            return;
        }

        var counts = stackalloc int[sizeof(ulong) * 256];
        Unsafe.InitBlock(counts, 0, sizeof(ulong) * 256 * sizeof(int));
        for (var row = 0; row < count; row++)
        {
            var head = rows[row].Head;
            for (var digit = 0; digit < sizeof(ulong); digit++) counts[(digit << 8) + (byte)(head >> (8 * digit))]++;
        }

        var (from, to) = ((nint)rows, (nint)_spare);
        for (var digit = 0; digit < sizeof(ulong); digit++)
        {
            var ends = counts + (digit << 8);
            if (ends[(byte)(rows[0].Head >> (8 * digit))] == count) continue;
            Distribute((BuildRow*)from, (BuildRow*)to, count, 8 * digit, ends);
            (from, to) = (to, from);
        }

        if (from != (nint)rows) new Span<BuildRow>(_spare, count).CopyTo(new Span<BuildRow>(rows, count));
    }

    // SAFETY: the counts of a byte's values add up to `count`, so each place is below it.
    private static unsafe void Distribute(BuildRow* from, BuildRow* to, int count, int shift, int* counts)
    {
        var place = 0;
        for (var value = 0; value < 256; value++) (counts[value], place) = (place, place + counts[value]);
        for (var row = 0; row < count; row++) to[counts[(byte)(from[row].Head >> shift)]++] = from[row];
    }

    // SAFETY: these members read operations of the segment, each of which a row names.
    private unsafe byte* Operation(uint reference) => new OperationRef(reference).At(_segment).Start;

    private unsafe RawKey KeyOf(uint reference) => RawKey.Of(Operation(reference));

    private readonly struct ByKey : IComparer<BuildRow>
    {
        // SAFETY: these members read operations of the segment, each of which a row names.
        private readonly unsafe byte* _segment;

        public unsafe ByKey(byte* segment) => _segment = segment;

        public unsafe int Compare(BuildRow x, BuildRow y) => RawKey.Of(At(x)).CompareTo(RawKey.Of(At(y)));

        private unsafe byte* At(BuildRow row) => new OperationRef(row.Row).At(_segment).Start;
    }
}
