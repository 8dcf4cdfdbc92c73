using System.Runtime.InteropServices;

namespace Varve.Memory;

/// <summary>
/// A native buffer with one owner. Its address stays the same until the buffer grows. One thread at a time.
/// </summary>
internal sealed class NativeBuffer : IDisposable
{
    private int _capacity;

    // SAFETY: these members show the allocation of Capacity bytes that this object owns until it grows or is disposed.
    public unsafe byte* Address { get; private set; }

    /// <summary>Frees the buffer of a pooled cursor that was dropped with its engine.</summary>
    unsafe ~NativeBuffer() => NativeMemory.Free(Address);

    public int Capacity => _capacity;

    /// <summary>Makes room for at least <paramref name="length"/> bytes; growth loses the contents.</summary>
    // SAFETY: the old allocation is freed and its address cleared before another is made; the span is inside the new
    // one.
    public unsafe Span<byte> Reserve(int length)
    {
        if (length > _capacity)
        {
            NativeMemory.Free(Address);
            Address = null;
            _capacity = 0;
            var capacity = Math.Max(length, 256);
            Address = (byte*)NativeMemory.Alloc((nuint)capacity);
            _capacity = capacity;
        }

        return new Span<byte>(Address, length);
    }

    /// <summary>A part of the buffer, valid until it grows.</summary>
    // SAFETY: offset and length are checked against the capacity.
    public unsafe FixedBytes Slice(int offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)offset, (uint)_capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)(_capacity - offset));
        return new FixedBytes(Address + offset, length);
    }

    // SAFETY: frees the allocation once; a second call, or the finalizer, frees null.
    public unsafe void Dispose()
    {
        NativeMemory.Free(Address);
        Address = null;
        _capacity = 0;
        GC.SuppressFinalize(this);
    }
}
