using Varve.Contract;
using Varve.Format;

namespace Varve.Versions;

/// <summary>
/// The terms of applied entries, as runs of (first index, term). Written under the gate. Any thread reads it without a
/// lock: runs are appended to an array whose filled part never changes.
/// </summary>
internal sealed class TermTable
{
    private const int KeptMax = 65_536;
    private const int RunsMax = 1 << 20;
    private Filled _filled;

    private readonly Action<Allocation>? _allocations;

    public TermTable(ReadOnlySpan<TermRun> runs, Action<Allocation>? allocations = null)
    {
        _allocations = allocations;
        _filled = new Filled(runs, Math.Clamp(runs.Length * 2, 16, RunsMax));
    }

    /// <summary>Records the term of entries from an index on, up to the next that is recorded.</summary>
    public void Add(ulong index, ulong term)
    {
        var runs = Volatile.Read(ref _filled).Runs;
        if (runs.Length > 0 && runs[^1].Term == term) return;
        Reserve(1);
        _filled.Add(new TermRun(index, term));
    }

    /// <summary>Allocates memory for <paramref name="count"/> more runs.</summary>
    public void Reserve(int count)
    {
        var filled = Volatile.Read(ref _filled);
        var runs = filled.Runs;
        if (count <= filled.Capacity - runs.Length) return;
        // A table at its limit drops the older half. What is left must not begin with a hole.
        if (runs.Length + (long)count > RunsMax && runs.Length > 1) runs = WithoutHole(runs[(runs.Length / 2)..]);
        _allocations?.Invoke(Allocation.Terms);
        Volatile.Write(
            ref _filled, new Filled(runs, Math.Max(runs.Length + count, Math.Min(filled.Capacity * 2, RunsMax))));
    }

    /// <summary>
    /// Records that the applied position moved past indexes without entries, whose terms are unknown.
    /// </summary>
    public void AddJump(ulong from, ulong to, ulong term)
    {
        if (to > from + 1 && Volatile.Read(ref _filled).Runs.Length > 0) Add(from + 1, TermRun.Unknown);
        Add(to, term);
    }

    /// <summary>The term of an index at or below the applied one; null if it is unknown.</summary>
    public ulong? Find(ulong index)
    {
        var runs = Volatile.Read(ref _filled).Runs;
        var at = Floor(runs, index);
        if (at < 0) return null;
        var term = runs[at].Term;
        return term == TermRun.Unknown ? null : term;
    }

    /// <summary>The runs up to an index, at most the latest 65,536.</summary>
    public TermRun[] UpTo(ulong index)
    {
        var runs = Volatile.Read(ref _filled).Runs;
        runs = runs[..(Floor(runs, index) + 1)];
        return (runs.Length > KeptMax ? WithoutHole(runs[^KeptMax..]) : runs).ToArray();
    }

    private static ReadOnlySpan<TermRun> WithoutHole(ReadOnlySpan<TermRun> runs) =>
        runs[0].Term == TermRun.Unknown ? runs[1..] : runs;

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

    /// <summary>An array and its filled length. The filled part never changes.</summary>
    private sealed class Filled
    {
        private readonly TermRun[] _items;
        private int _count;

        public Filled(ReadOnlySpan<TermRun> runs, int capacity)
        {
            _items = new TermRun[capacity];
            runs.CopyTo(_items);
            _count = runs.Length;
        }

        public int Capacity => _items.Length;

        public ReadOnlySpan<TermRun> Runs => _items.AsSpan(0, Volatile.Read(ref _count));

        public void Add(TermRun run)
        {
            _items[_count] = run;
            Volatile.Write(ref _count, _count + 1);
        }
    }
}
