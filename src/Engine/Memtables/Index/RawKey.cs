using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Varve.Format;

namespace Varve.Memtables;

/// <summary>A key as an address and a length, for comparisons of parts of it.</summary>
/// <remarks>
/// The eight bytes that end where the key ends are always readable, so that a head is one load and a shift however
/// short the key is: within an operation the header lies before the key; a caller's short key is copied first
/// (<see cref="Pad"/>). Whoever holds the struct holds a pin on the memory.
/// </remarks>
internal readonly unsafe struct RawKey(byte* start, int length)
{
    /// <summary>Bytes that <see cref="Pad"/> wants.</summary>
    public const int PadSize = 16;

    public byte* Start => start;

    public int Length => length;

    public ReadOnlySpan<byte> Span => new(start, length);

    /// <summary>The key of the operation at <paramref name="operation"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RawKey Of(byte* operation) =>
        new(new WalOperationView(operation).KeyAddress, new WalOperationView(operation).KeyLength);

    /// <summary>A caller's key, moved to <paramref name="pad"/> (16 bytes) when it is shorter than a head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RawKey Pad(byte* start, int length, byte* pad)
    {
        if (length >= sizeof(ulong)) return new RawKey(start, length);
        new ReadOnlySpan<byte>(start, length).CopyTo(new Span<byte>(pad + sizeof(ulong), sizeof(ulong)));
        return new RawKey(pad + sizeof(ulong), length);
    }

    /// <summary>
    /// The eight bytes from <paramref name="offset"/> on as an integer that sorts as they do; zeros past the end.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Head(int offset)
    {
        var left = length - offset;
        if (left >= sizeof(ulong)) return BigEndian(start + offset);
        return left <= 0 ? 0 : BigEndian(start + length - sizeof(ulong)) << (64 - 8 * left);
    }

    /// <summary>How many leading bytes two keys share.</summary>
    public int CommonPrefix(RawKey other) => Span.CommonPrefixLength(other.Span);

    /// <summary>Order by unsigned bytes.</summary>
    public int CompareTo(RawKey other) => Span.SequenceCompareTo(other.Span);

    /// <summary>Order by unsigned bytes, and how many leading bytes are shared.</summary>
    public int CompareTo(RawKey other, out int shared)
    {
        shared = CommonPrefix(other);
        if (shared == length || shared == other.Length) return length.CompareTo(other.Length);
        return start[shared] - other.Start[shared];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong BigEndian(byte* at)
    {
        var value = Unsafe.ReadUnaligned<ulong>(at);
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
    }
}
