namespace Varve.Iterators;

/// <summary>
/// A range of rows of one block. <see cref="RunIterator"/> has one for the rows inside the scan's bounds, and one for
/// those of them that come before every other input's row.
/// </summary>
internal struct RowWindow
{
    private uint _first;
    private uint _count; // 0: empty

    public readonly uint First => _first;

    public readonly uint End => _first + _count;

    public readonly uint Count => _count;

    /// <summary>A row below the first one wraps around, so one comparison is enough.</summary>
    public readonly bool Contains(uint row) => row - _first < _count;

    public void Open(uint first, uint end) => (_first, _count) = (first, end - first);

    public void Empty() => _count = 0;
}
