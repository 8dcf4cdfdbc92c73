using System.Runtime.InteropServices;

namespace Varve.Tables;

/// <summary>
/// A growing list of plain values in native memory. A span of it lives until the list grows. One thread.
/// </summary>
internal sealed class NativeList<T> : IDisposable
    where T : unmanaged
{
    private nuint _capacity;

    // SAFETY: these members use the allocation that this list owns. It has room for Capacity items, and Count is at
    // most that: Add grows it first.
    private unsafe T* _items;

    public unsafe Span<T> Span => new(_items, Count);

    public unsafe void Add(T item)
    {
        if ((nuint)Count == _capacity) Grow(Count + 1);
        _items[Count++] = item;
    }

    public int Count { get; private set; }

    // SAFETY: the list has room for the new end before the items are copied to it.
    public unsafe void AddRange(ReadOnlySpan<T> source)
    {
        var end = checked(Count + source.Length);
        if ((nuint)end > _capacity) Grow(end);
        source.CopyTo(new Span<T>(_items + Count, source.Length));
        Count = end;
    }

    /// <summary>Makes the list this long; new items have arbitrary values.</summary>
    public void Resize(int count)
    {
        if ((nuint)count > _capacity) Grow(count);
        Count = count;
    }

    /// <summary>Drops all items; the memory stays for new ones.</summary>
    public void DropItems() => Count = 0;

    // SAFETY: frees the allocation once; a second call frees null.
    public unsafe void Dispose()
    {
        NativeMemory.Free(_items);
        _items = null;
        _capacity = 0;
        Count = 0;
    }

    // SAFETY: realloc moves the items; the list is the only owner of the old address.
    private unsafe void Grow(int needed)
    {
        _capacity = Math.Max((nuint)needed, Math.Max(16, _capacity * 2));
        _items = (T*)NativeMemory.Realloc(_items, checked(_capacity * (nuint)sizeof(T)));
    }
}
