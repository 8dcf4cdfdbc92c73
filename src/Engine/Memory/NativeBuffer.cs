using System.Runtime.InteropServices;

namespace Varve.Memory;

/// <summary>
/// A growing native buffer with one owner; its address stays until it grows. Not safe for two threads.
/// </summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private int _capacity;

    public byte* Address { get; private set; }

    public int Capacity => _capacity;

    /// <summary>Makes room for at least <paramref name="length"/> bytes; what was in it is gone if it grows.</summary>
    public Span<byte> Reserve(int length)
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

    /// <summary>A part of what was last reserved, until more is.</summary>
    public FixedBytes Slice(int offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)offset, (uint)_capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)(_capacity - offset));
        return new FixedBytes(Address + offset, length);
    }

    public void Dispose()
    {
        NativeMemory.Free(Address);
        Address = null;
        _capacity = 0;
        GC.SuppressFinalize(this);
    }

    /// <summary>Pooled cursors may be dropped with their engine; their buffers go with them.</summary>
    ~NativeBuffer() => NativeMemory.Free(Address);
}
