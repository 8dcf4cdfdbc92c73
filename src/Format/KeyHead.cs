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

    /// <summary>The head of what follows the first <paramref name="skip"/> bytes, not a negative number; 0 when the key is no longer than that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(ReadOnlySpan<byte> key, int skip = 0)
    {
        if (key.Length - skip < Bytes)
            return OfShort(key, skip);
        ulong bytes = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref MemoryMarshal.GetReference(key), (uint)skip));
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(bytes) : bytes;
    }

    private static ulong OfShort(ReadOnlySpan<byte> key, int skip)
    {
        ulong head = 0;
        for (int i = 0; i < Bytes; i++)
            head = head << 8 | (skip + i < key.Length ? key[skip + i] : 0u);
        return head;
    }
}
