using System.Runtime.InteropServices;

namespace Varve.Memtables;

/// <summary>
/// Copies of rows of different keys, sorted by a thread of the pool while the one that made this goes on. The
/// operations stay where they are until it is disposed, which waits for the end.
/// </summary>
internal sealed class RowsSortedAside : IDisposable
{
    // SAFETY: the owner keeps the segment mapped until it has disposed this, which waits for the sort.
    private readonly unsafe byte* _segment;
    // SAFETY: native memory for twice `Count` rows: the copies, and as many to sort with. Freed by `Dispose`.
    private readonly unsafe BuildRow* _rows;   // and behind them as many to sort with
    private readonly Task<int> _sorting;

    // SAFETY: the memory has room for twice the rows, and stays until the task has ended.
    public unsafe RowsSortedAside(byte* segment, ReadOnlySpan<BuildRow> rows)
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
    // SAFETY: the rows are the caller's to use until it disposes this.
    public unsafe BuildRow* Take(out int shared)
    {
        shared = _sorting.GetAwaiter().GetResult();
        return _rows;
    }

    // SAFETY: the task has ended, so nobody else uses the rows.
    public unsafe void Dispose()
    {
        Task.WaitAny(_sorting);
        NativeMemory.Free(_rows);
    }
}
