using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Varve.Format;

/// <summary>
/// A blocked Bloom filter: a key sets eight bits in one cache line, one in each of the line's eight words, so that a
/// probe is one load and one compare. The line is chosen by the upper half of the key's hash, the bits by six-bit
/// fields of the hash times an odd constant.
/// <code>
///   u64[8][line count]   line = (hash >> 32) * line count >> 32
///                        word w, bit (hash * 0x9E3779B97F4A7C15 >> 16 + 6 w) &amp; 63
/// </code>
/// A filter without lines holds every key.
/// </summary>
internal static class TableFilter
{
    public const int LineBytes = 64;

    /// <summary>Most bits a key that are of any use.</summary>
    public const int BitsPerKeyMax = 32;

    private const int WordsPerLine = 8;
    private const int FieldBits = 6;
    private const int FirstField = 16;
    private const ulong Multiplier = 0x9E3779B97F4A7C15;

    /// <summary>Bytes of a filter for a number of keys; at least a line, unless there are no bits.</summary>
    public static long Length(long keys, int bitsPerKey)
    {
        var lines = (keys * bitsPerKey + LineBytes * 8 - 1) / (LineBytes * 8);
        return bitsPerKey == 0 ? 0 : Math.Min(Math.Max(1, lines), int.MaxValue / LineBytes) * LineBytes;
    }

    /// <summary>Offset of a hash's line in a filter that has lines.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nuint LineOffset(ulong hash, ulong lineCount) => (nuint)((hash >> 32) * lineCount >> 32) * LineBytes;

    /// <summary>Adds a key to a filter with lines.</summary>
    public static void Add(Span<byte> filter, ulong hash)
    {
        var line = filter.Slice((int)LineOffset(hash, (ulong)filter.Length / LineBytes), LineBytes);
        if (Avx512F.IsSupported)
        {
            ref byte first = ref MemoryMarshal.GetReference(line);
            (Vector512.LoadUnsafe(ref first).AsUInt64() | MaskOf(hash)).AsByte().StoreUnsafe(ref first);
            return;
        }
        for (var word = 0; word < WordsPerLine; word++)
        {
            var bits = line[(8 * word)..];
            BinaryPrimitives.WriteUInt64LittleEndian(
                bits, BinaryPrimitives.ReadUInt64LittleEndian(bits) | BitOf(hash, word));
        }
    }

    /// <summary>False when the key of a hash was certainly not added.</summary>
    public static bool MayContain(ReadOnlySpan<byte> filter, ulong hash)
    {
        if (filter.Length < LineBytes) return true;
        var line = filter.Slice((int)LineOffset(hash, (ulong)filter.Length / LineBytes), LineBytes);
        return LineMayContain(ref MemoryMarshal.GetReference(line), hash);
    }

    /// <summary>Does the work of <see cref="MayContain"/> on the 64 bytes of the hash's line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool LineMayContain(ref readonly byte line, ulong hash)
    {
        if (Avx512F.IsSupported)
            return Vector512.AndNot(MaskOf(hash), Vector512.LoadUnsafe(in line).AsUInt64()) == Vector512<ulong>.Zero;
        if (Avx2.IsSupported)
            return HalfMayContain(in line, hash, Shifts256) && HalfMayContain(
                in Unsafe.AddByteOffset(ref Unsafe.AsRef(in line), 32), hash, Shifts256 + Vector256.Create(24UL));
        return LineMayContainScalar(in line, hash);
    }

    internal static bool LineMayContainScalar(ref readonly byte line, ulong hash)
    {
        var bytes = MemoryMarshal.CreateReadOnlySpan(in line, LineBytes);
        for (var word = 0; word < WordsPerLine; word++)
        {
            if ((BinaryPrimitives.ReadUInt64LittleEndian(bytes[(8 * word)..]) & BitOf(hash, word)) == 0) return false;
        }
        return true;
    }

    private static Vector512<ulong> Shifts512 => Vector512.Create(16UL, 22, 28, 34, 40, 46, 52, 58);

    private static Vector256<ulong> Shifts256 => Vector256.Create(16UL, 22, 28, 34);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> MaskOf(ulong hash) => Avx512F.ShiftLeftLogicalVariable(
        Vector512<ulong>.One,
        Avx512F.ShiftRightLogicalVariable(Vector512.Create(hash * Multiplier), Shifts512) & Vector512.Create(63UL));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HalfMayContain(ref readonly byte half, ulong hash, Vector256<ulong> shifts)
    {
        var fields = Avx2.ShiftRightLogicalVariable(Vector256.Create(hash * Multiplier), shifts);
        var mask = Avx2.ShiftLeftLogicalVariable(Vector256<ulong>.One, fields & Vector256.Create(63UL));
        return Vector256.AndNot(mask, Vector256.LoadUnsafe(in half).AsUInt64()) == Vector256<ulong>.Zero;
    }

    private static ulong BitOf(ulong hash, int word) =>
        1UL << (int)(hash * Multiplier >> FirstField + FieldBits * word & 63);
}
