using Varve.Format;

namespace Varve.Versions;

/// <summary>
/// The terms of applied entries as (first index, term) runs. Written under the engine's gate; read from any thread without a
/// lock: runs are appended into an array whose filled part never changes.
/// </summary>
internal sealed class TermTable
{
    private volatile Runs _runs;

    public TermTable(ReadOnlySpan<TermRun> runs)
    {
        var items = new TermRun[Math.Max(16, runs.Length * 2)];
        runs.CopyTo(items);
        _runs = new Runs(items, runs.Length);
    }

    /// <summary>Notes that entries from <paramref name="index"/> on have a term, until another is noted.</summary>
    public void Note(ulong index, ulong term)
    {
        var runs = _runs;
        if (runs.Count > 0 && runs.Items[runs.Count - 1].Term == term) return;
        var items = runs.Items;
        if (runs.Count == items.Length) Array.Resize(ref items, items.Length * 2);
        items[runs.Count] = new TermRun(index, term);
        _runs = new Runs(items, runs.Count + 1);
    }

    /// <summary>Notes a jump of the applied position: the terms of what was jumped over are not known.</summary>
    public void NoteJump(ulong from, ulong to, ulong term)
    {
        if (to > from + 1 && _runs.Count > 0) Note(from + 1, 0);
        Note(to, term);
    }

    /// <summary>The term of an index that is at or below the applied one; null where it is not known.</summary>
    public ulong? Find(ulong index)
    {
        var runs = _runs;
        var at = runs.Floor(index);
        if (at < 0) return null;
        var term = runs.Items[at].Term;
        return term == 0 && at > 0 ? null : term; // terms never decrease: a zero after another run is a hole
    }

    /// <summary>Drops what lies wholly below an index; the run that holds the index begins there from now on.</summary>
    public void Trim(ulong index)
    {
        var runs = _runs;
        var at = runs.Floor(index);
        if (at > 0 && runs.Items[at].Term == 0) at++; // a hole is no beginning
        if (at < 0 || at == runs.Count) return;
        var kept = runs.Items.AsSpan(at, runs.Count - at);
        var items = new TermRun[Math.Max(16, kept.Length * 2)];
        kept.CopyTo(items);
        items[0] = items[0] with { FirstIndex = Math.Max(items[0].FirstIndex, index) };
        _runs = new Runs(items, kept.Length);
    }

    /// <summary>The runs up to an index.</summary>
    public TermRun[] UpTo(ulong index)
    {
        var runs = _runs;
        return runs.Items.AsSpan(0, runs.Floor(index) + 1).ToArray();
    }

    private sealed class Runs(TermRun[] items, int count)
    {
        public readonly TermRun[] Items = items;
        public readonly int Count = count;

        public int Floor(ulong index)
        {
            int low = 0, high = Count;
            while (low < high)
            {
                var middle = (low + high) >>> 1;
                if (Items[middle].FirstIndex <= index) low = middle + 1;
                else high = middle;
            }

            return low - 1;
        }
    }
}
