using System.Runtime.CompilerServices;
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
}
