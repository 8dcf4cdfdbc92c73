using System.Runtime.InteropServices;

namespace Varve.Tables;

/// <summary>A growing list of plain values outside the collected heap. One thread; spans live until the next growth.</summary>
internal sealed unsafe class NativeList<T> : IDisposable
    where T : unmanaged
{
    private T* items;
    private nuint capacity;

    public int Count { get; private set; }

    public Span<T> Span => new(items, Count);

    public void Add(T item)
    {
        if ((nuint)Count == capacity)
            Grow(Count + 1);
        items[Count++] = item;
    }

    public void AddRange(ReadOnlySpan<T> source)
    {
        int end = checked(Count + source.Length);
        if ((nuint)end > capacity)
            Grow(end);
        source.CopyTo(new Span<T>(items + Count, source.Length));
        Count = end;
    }

    /// <summary>Makes the list this long; new items have any value.</summary>
    public void Resize(int count)
    {
        if ((nuint)count > capacity)
            Grow(count);
        Count = count;
    }

    public void Clear() => Count = 0;

    public void Dispose()
    {
        NativeMemory.Free(items);
        items = null;
        capacity = 0;
        Count = 0;
    }

    private void Grow(int needed)
    {
        capacity = Math.Max((nuint)needed, Math.Max(16, capacity * 2));
        items = (T*)NativeMemory.Realloc(items, checked(capacity * (nuint)sizeof(T)));
    }
}
