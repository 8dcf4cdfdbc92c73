using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Varve.Format;

/// <summary>
/// Eight bytes of a key as one integer that orders like the bytes: big-endian, and zero where the key has ended. Equal
/// heads decide nothing, because "ab" and "ab\0" have the same; unequal heads decide everything.
/// </summary>
internal static class KeyHead
{
    /// <summary>Bytes of key in a head.</summary>
    public const int Bytes = 8;

    /// <summary>
    /// The head of what follows the first <paramref name="skip"/> bytes, not a negative number; 0 when the key is no
    /// longer than that.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(ReadOnlySpan<byte> key, int skip = 0)
    {
        if (key.Length - skip < Bytes) return OfShort(key, skip);
        var bytes = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref MemoryMarshal.GetReference(key), (uint)skip));
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(bytes) : bytes;
    }

    /// <summary>The last bytes of a key, fewer than eight, in the upper ones of a head.</summary>
    private static ulong OfShort(ReadOnlySpan<byte> key, int skip)
    {
        var left = key.Length - skip;
        if (left <= 0) return 0;
        if (key.Length >= Bytes) return BinaryPrimitives.ReadUInt64BigEndian(key[^Bytes..]) << 8 * (Bytes - left);
        key = key[skip..];
        if (left >= sizeof(uint))
            return (ulong)BinaryPrimitives.ReadUInt32BigEndian(key) << 32
                | (ulong)BinaryPrimitives.ReadUInt32BigEndian(key[^sizeof(uint)..]) << 8 * (Bytes - left);
        // One to three bytes: the first, the middle and the last are all of them.
        return (ulong)key[0] << 56 | (ulong)key[left >> 1] << 56 - 8 * (left >> 1)
            | (ulong)key[left - 1] << 64 - 8 * left;
    }
}
