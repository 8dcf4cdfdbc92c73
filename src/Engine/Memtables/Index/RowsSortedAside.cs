using System.Runtime.InteropServices;

namespace Varve.Memtables;

/// <summary>
/// Sorts a private copy of rows of different keys on the thread pool, while the caller continues with its own. The
/// operations stay mapped until disposal, which waits for the sort.
/// </summary>
internal sealed class RowsSortedAside : IDisposable
{
    // SAFETY: the owner keeps the segment mapped until it has disposed this, which waits for the sort.
    private readonly unsafe byte* _segment;
    // SAFETY: native memory for twice `Count` rows: the copies, and as many to sort with. Freed by `Dispose`.
    private readonly unsafe BuildRow* _rows; // the copies, then as many to sort with
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

    /// <summary>Waits for the sort, and returns the sorted rows.</summary>
    /// <param name="shared">The length of the keys' common prefix, behind which the heads begin.</param>
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
