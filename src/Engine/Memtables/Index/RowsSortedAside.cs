using System.Runtime.InteropServices;

namespace Varve.Memtables;

/// <summary>
/// Copies of rows of different keys, sorted by a thread of the pool while the one that made this goes on. The
/// operations stay where they are until it is disposed, which waits for the end.
/// </summary>
internal sealed unsafe class RowsSortedAside : IDisposable
{
    private readonly byte* _segment;
    private readonly BuildRow* _rows;   // and behind them as many to sort with
    private readonly Task<int> _sorting;

    public RowsSortedAside(byte* segment, ReadOnlySpan<BuildRow> rows)
    {
        Count = rows.Length;
        _segment = segment;
        _rows = (BuildRow*)NativeMemory.Alloc((nuint)rows.Length * 2 * (nuint)sizeof(BuildRow));
        rows.CopyTo(new Span<BuildRow>(_rows, Count));
        _sorting = Task.Run(() => new RowSort(_segment, _rows + Count).Sort(_rows, Count));
    }

    public int Count { get; }

    /// <summary>Waits until they are sorted.</summary>
    /// <param name="shared">How many bytes their keys share: heads are what follows.</param>
    public BuildRow* Take(out int shared)
    {
        shared = _sorting.GetAwaiter().GetResult();
        return _rows;
    }

    public void Dispose()
    {
        Task.WaitAny(_sorting);
        NativeMemory.Free(_rows);
    }
}
