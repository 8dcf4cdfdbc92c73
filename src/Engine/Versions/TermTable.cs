using Varve.Format;

namespace Varve.Versions;

/// <summary>
/// The terms of applied entries as (first index, term) runs. Written under the engine's gate; read from any thread without a
/// lock: runs are appended into an array whose filled part never changes.
/// </summary>
internal sealed class TermTable
{
    private const int KeptMax = 65_536;
    private TermRun[] _items;
    private int _count;

    public TermTable(ReadOnlySpan<TermRun> runs)
    {
        _items = new TermRun[Math.Max(16, runs.Length * 2)];
        runs.CopyTo(_items);
        _count = runs.Length;
    }

    /// <summary>Notes that entries from <paramref name="index"/> on have a term, until another is noted.</summary>
    public void Note(ulong index, ulong term)
    {
        var (items, count) = (_items, _count);
        if (count > 0 && items[count - 1].Term == term) return;
        if (count == items.Length) Array.Resize(ref items, count * 2);
        items[count] = new TermRun(index, term);
        // A reader takes the count before the array, so the array it gets holds at least that many.
        Volatile.Write(ref _items, items);
        Volatile.Write(ref _count, count + 1);
    }

    /// <summary>Notes a jump of the applied position: the terms of what was jumped over are not known.</summary>
    public void NoteJump(ulong from, ulong to, ulong term)
    {
        if (to > from + 1 && _count > 0) Note(from + 1, 0);
        Note(to, term);
    }

    /// <summary>The term of an index that is at or below the applied one; null where it is not known.</summary>
    public ulong? Find(ulong index)
    {
        var runs = Runs;
        var at = Floor(runs, index);
        if (at < 0) return null;
        var term = runs[at].Term;
        return term == 0 && at > 0 ? null : term; // terms never decrease: a zero after another run is a hole
    }

    /// <summary>The runs up to an index, the latest of them where there are very many.</summary>
    public TermRun[] UpTo(ulong index)
    {
        var runs = Runs;
        var kept = runs[..(Floor(runs, index) + 1)];
        return (kept.Length > KeptMax ? kept[^KeptMax..] : kept).ToArray();
    }

    private ReadOnlySpan<TermRun> Runs
    {
        get
        {
            var count = Volatile.Read(ref _count);
            return Volatile.Read(ref _items).AsSpan(0, count);
        }
    }

    private static int Floor(ReadOnlySpan<TermRun> runs, ulong index)
    {
        int low = 0, high = runs.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (runs[middle].FirstIndex <= index) low = middle + 1;
            else high = middle;
        }

        return low - 1;
    }
}
