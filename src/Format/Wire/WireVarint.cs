using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Varve.Format;

/// <summary>
/// Protobuf's variable-length integers: seven bits a byte, least significant first, the high bit set on all but the
/// last; at most ten bytes. Read as Google's parsers do: padding with zero groups is accepted, bits past the 64th are
/// dropped, and a field of 32 bits takes the low ones.
/// </summary>
internal static class WireVarint
{
    public const int SizeMax = 10;

    private const ulong Continuations = 0x8080_8080_8080_8080;

    public static int SizeOf(ulong value) => (64 - BitOperations.LeadingZeroCount(value | 1) + 6) / 7;

    /// <summary>
    /// Reads at <paramref name="position"/> and moves it on; false, with nothing moved, when cut off or too long.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRead(ReadOnlySpan<byte> source, ref int position, out ulong value)
    {
        var at = position;
        if ((uint)at < (uint)source.Length && source[at] < 0x80)
        {
            value = source[at];
            position = at + 1;
            return true;
        }

        return TryReadLong(source, ref position, out value);
    }

    /// <summary>Writes at the start of <paramref name="destination"/>; returns the bytes taken.</summary>
    public static int Write(Span<byte> destination, ulong value)
    {
        var size = 0;
        for (; value >= 0x80; value >>= 7) destination[size++] = (byte)(value | 0x80);
        destination[size++] = (byte)value;
        return size;
    }

    private static bool TryReadLong(ReadOnlySpan<byte> source, ref int position, out ulong value)
    {
        if (source.Length - position >= sizeof(ulong))
        {
            // Eight bytes at once: find the first without its high bit, drop what is after it, close the gaps between
            // the groups.
            var word = BinaryPrimitives.ReadUInt64LittleEndian(source[position..]);
            var last = ~word & Continuations;
            if (last != 0)
            {
                word &= last ^ (last - 1);
                word = ((word & 0x7F00_7F00_7F00_7F00) >> 1) | (word & 0x007F_007F_007F_007F);
                word = ((word & 0xFFFF_0000_FFFF_0000) >> 2) | (word & 0x0000_FFFF_0000_FFFF);
                value = ((word & 0xFFFF_FFFF_0000_0000) >> 4) | (word & 0x0000_0000_FFFF_FFFF);
                position += (BitOperations.TrailingZeroCount(last) >> 3) + 1;
                return true;
            }
        }

        return TryReadBytes(source, ref position, out value);
    }

    private static bool TryReadBytes(ReadOnlySpan<byte> source, ref int position, out ulong value)
    {
        value = 0;
        var sizeMax = Math.Min(SizeMax, source.Length - position);
        for (var i = 0; i < sizeMax; i++)
        {
            var group = source[position + i];
            value |= (ulong)(group & 0x7F) << (7 * i);
            if (group >= 0x80) continue;
            position += i + 1;
            return true;
        }

        return false;
    }
}
