using Varve.Memory;
using Varve.Tables;

namespace Varve.LiveKeys;

/// <summary>
/// The change of the number of live keys by the rows of one memtable, against the runs below it. Rows come in the order
/// of their keys, one a key, a few at a time: the filters that a few rows need are prefetched together, so their cache
/// misses overlap. One thread.
/// </summary>
/// <param name="runs">The runs, newest first.</param>
/// <param name="timeMs">The time by which leases are judged, on both sides.</param>
internal sealed class FlushDelta(Run[] runs, ulong timeMs)
{
    private readonly int[] _tables = new int[runs.Length]; // by run, the first table that may have a later key

    /// <summary>The change by the rows added so far.</summary>
    public long Value { get; private set; }

    /// <summary>The time by which leases are judged.</summary>
    public ulong TimeMs => timeMs;

    /// <summary>Adds the next rows.</summary>
    public void Add(ReadOnlySpan<RowRef> rows)
    {
        foreach (ref readonly var row in rows)
            if (row.IsLiveAt(timeMs)) Value++;
        for (var run = 0; run < runs.Length; run++) PrefetchFilters(rows, run);
        foreach (ref readonly var row in rows)
            if (WasLive(row)) Value--;
    }

    private void PrefetchFilters(ReadOnlySpan<RowRef> rows, int run)
    {
        var tables = runs[run].Tables;
        var at = _tables[run]; // a copy: the rows are looked up from the first again
        foreach (ref readonly var row in rows)
        {
            at = FirstTableFor(row, tables, at);
            if (at == tables.Length) break;
            tables[at].Table.PrefetchFilter(row.Hash);
        }
    }

    private bool WasLive(in RowRef row)
    {
        for (var run = 0; run < runs.Length; run++)
        {
            var tables = runs[run].Tables;
            var at = _tables[run] = FirstTableFor(row, tables, _tables[run]);
            if (at == tables.Length) continue;
            var found = tables[at].Table.Find(row.Key, row.Hash);
            if (found.Exists) return found.IsLiveAt(timeMs);
        }

        return false;
    }

    /// <summary>The first table, from one on, whose largest key is not below the row's.</summary>
    private static int FirstTableFor(in RowRef row, TableHandle[] tables, int from)
    {
        while (from < tables.Length && tables[from].Descriptor.LargestKey.AsSpan().SequenceCompareTo(row.Key) < 0)
            from++;
        return from;
    }
}
