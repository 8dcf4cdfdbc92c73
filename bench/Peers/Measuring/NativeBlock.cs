using System.Runtime.InteropServices;

namespace Varve.Bench.Peers;

/// <summary>A block of native memory that may exceed 2 GiB; its owner frees it.</summary>
internal sealed unsafe class NativeBlock : IDisposable
{
    private byte* _start;

    public NativeBlock(long bytes)
    {
        Bytes = bytes;
        _start = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), 4096);
        // Touched now, so that no page fault falls into a timed loop.
        for (long at = 0; at < bytes; at += 4096) _start[at] = 0;
    }

    public long Bytes { get; }

    public byte* Start => _start;

    public Span<byte> Slice(long offset, int length) => new(_start + offset, length);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_start);
        _start = null;
    }
}
