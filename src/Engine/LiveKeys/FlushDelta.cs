using Varve.Memory;
using Varve.Tables;

namespace Varve.LiveKeys;

/// <summary>
/// By how much rows change the number of live keys, against the runs below them. Rows come in the order of their keys,
/// one a key, a few at a time, so that what the runs' filters have to say of them is waited for together.
/// </summary>
/// <param name="runs">The runs, newest first.</param>
/// <param name="timeMs">The time by which leases are judged, on both sides.</param>
internal sealed class FlushDelta(Run[] runs, ulong timeMs)
{
    private readonly int[] _tables = new int[runs.Length];

    /// <summary>The difference made by the rows counted so far.</summary>
    public long Value { get; private set; }

    /// <summary>Counts a few rows more.</summary>
    public void Count(ReadOnlySpan<RowRef> rows)
    {
        foreach (ref readonly var row in rows)
            if (Liveness.IsLive(row.Kind, row.Deadline, timeMs)) Value++;
        for (var run = 0; run < runs.Length; run++) Ask(rows, run);
        foreach (ref readonly var row in rows)
            if (WasLive(row)) Value--;
    }

    private void Ask(ReadOnlySpan<RowRef> rows, int run)
    {
        var tables = runs[run].Tables;
        var at = _tables[run];
        foreach (ref readonly var row in rows)
        {
            while (at < tables.Length && IsBelow(tables[at].Descriptor.LargestKey, row)) at++;
            if (at == tables.Length) break;
            tables[at].Table.PrefetchFilter(row.Hash);
        }
    }

    private bool WasLive(in RowRef row)
    {
        for (var run = 0; run < runs.Length; run++)
        {
            var tables = runs[run].Tables;
            ref var at = ref _tables[run];
            while (at < tables.Length && IsBelow(tables[at].Descriptor.LargestKey, row)) at++;
            if (at == tables.Length) continue;
            var found = tables[at].Table.Find(row.Key, row.Hash);
            if (found.Exists) return found.IsLiveAt(timeMs);
        }

        return false;
    }

    private static bool IsBelow(byte[] largest, in RowRef row) => largest.AsSpan().SequenceCompareTo(row.Key) < 0;
}
