using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Varve.Memory;

/// <summary>Hints to load cache lines. They do nothing on a processor without the instruction.</summary>
internal static class Prefetch
{
    /// <summary>Starts to load the line of <paramref name="address"/>, which may be any address.</summary>
    // SAFETY: a prefetch never faults.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Line(void* address)
    {
        if (Sse.IsSupported) Sse.Prefetch0(address);
    }

    /// <summary>
    /// Starts to load all lines of a span. For a few lines: a core has about sixteen loads under way at a time.
    /// </summary>
    // SAFETY: nothing is read. If a collection moves the bytes meanwhile, the hint names other memory, and a prefetch
    // never faults.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Span(ReadOnlySpan<byte> bytes)
    {
        var start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes));
        for (var offset = 0; offset < bytes.Length; offset += Arena.LineSize) Line(start + offset);
    }
}
