using System.Runtime.InteropServices;

namespace Varve.Tables;

/// <summary>
/// A growing list of plain values outside the collected heap. One thread; spans live until the next growth.
/// </summary>
internal sealed unsafe class NativeList<T> : IDisposable
    where T : unmanaged
{
    private T* _items;
    private nuint _capacity;

    public int Count { get; private set; }

    public Span<T> Span => new(_items, Count);

    public void Add(T item)
    {
        if ((nuint)Count == _capacity) Grow(Count + 1);
        _items[Count++] = item;
    }

    public void AddRange(ReadOnlySpan<T> source)
    {
        var end = checked(Count + source.Length);
        if ((nuint)end > _capacity) Grow(end);
        source.CopyTo(new Span<T>(_items + Count, source.Length));
        Count = end;
    }

    /// <summary>Makes the list this long; new items have any value.</summary>
    public void Resize(int count)
    {
        if ((nuint)count > _capacity) Grow(count);
        Count = count;
    }

    public void Clear() => Count = 0;

    public void Dispose()
    {
        NativeMemory.Free(_items);
        _items = null;
        _capacity = 0;
        Count = 0;
    }

    private void Grow(int needed)
    {
        _capacity = Math.Max((nuint)needed, Math.Max(16, _capacity * 2));
        _items = (T*)NativeMemory.Realloc(_items, checked(_capacity * (nuint)sizeof(T)));
    }
}
