using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Varve.Memory;

/// <summary>A hint to load a cache line; does nothing where the processor has no such instruction.</summary>
internal static unsafe class Prefetch
{
    /// <summary>Starts loading the line of <paramref name="address"/>; any address is safe.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line(void* address)
    {
        if (Sse.IsSupported) Sse.Prefetch0(address);
    }

    /// <summary>
    /// Starts loading all lines of a span. Meant for a few of them: a core has some sixteen loads under way at a time.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Span(ReadOnlySpan<byte> bytes)
    {
        // A collection that moves the bytes meanwhile makes it a hint about other memory, which is safe too.
        var start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes));
        for (var offset = 0; offset < bytes.Length; offset += Arena.LineSize) Line(start + offset);
    }
}
