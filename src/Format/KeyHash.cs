using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Varve.Format;

/// <summary>
/// The one hash of a user key, computed once an operation and used by the memtable's directory, the filters and the
/// blocks' tags. XXH3-64 with seed 0; frozen, because filters and tags are on disk.
/// </summary>
internal static class KeyHash
{
    // XXH3's secret, as its branch for 9 to 16 bytes uses it with seed 0.
    private const ulong FlipOfFirst = 0x6782737BEA4239B9;
    private const ulong FlipOfLast = 0xAF56BC3B0996523A;
    private const ulong Multiplier = 0x165667919E3779F9;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(ReadOnlySpan<byte> key) => (uint)(key.Length - 9) < 8 ? OfNineToSixteen(key) : OfAnyLength(key);

    /// <summary>The library's function, written out for the usual length so that a read inlines it whole.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong OfNineToSixteen(ReadOnlySpan<byte> key)
    {
        ref byte start = ref MemoryMarshal.GetReference(key);
        ulong first = LittleEndian(ref start) ^ FlipOfFirst;
        ulong last = LittleEndian(ref Unsafe.Add(ref start, key.Length - sizeof(ulong))) ^ FlipOfLast;
        ulong hash = (ulong)key.Length + BinaryPrimitives.ReverseEndianness(first) + last + (first * last ^ High(first, last));
        hash = (hash ^ hash >> 37) * Multiplier;
        return hash ^ hash >> 32;
    }

    private static ulong OfAnyLength(ReadOnlySpan<byte> key) => XxHash3.HashToUInt64(key);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LittleEndian(ref byte at)
    {
        ulong value = Unsafe.ReadUnaligned<ulong>(ref at);
        return BitConverter.IsLittleEndian ? value : BinaryPrimitives.ReverseEndianness(value);
    }

    /// <summary>The upper half of a product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong High(ulong a, ulong b) => Bmi2.X64.IsSupported ? Bmi2.X64.MultiplyNoFlags(a, b) : Math.BigMul(a, b, out _);
}
