using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Varve.Tables;

/// <summary>Takes bytes of a little-endian word, from 0 to 8 of them.</summary>
internal static class WordBytes
{
    /// <summary>The first bytes; the others become 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Low(ulong word, uint count) =>
        Bmi2.X64.IsSupported
            ? Bmi2.X64.ZeroHighBits(word, 8 * count)
            : word & ~(ulong.MaxValue << (int)(4 * count) << (int)(4 * count));

    /// <summary>The last bytes, moved to the front.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong High(ulong word, uint count) => word >> (int)(32 - 4 * count) >> (int)(32 - 4 * count);
}
