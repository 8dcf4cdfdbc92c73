using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Varve.Format;

namespace Varve.Memtables;

/// <summary>A key as an address and a length, for comparisons of parts of it.</summary>
/// <remarks>
/// The eight bytes that end where the key ends are always readable, so that a head is one load and a shift however
/// short the key is: within an operation the header lies before the key; a caller's short key is copied first
/// (<see cref="Pad"/>). The owner of the struct has a pin on the memory.
/// </remarks>
internal readonly struct RawKey
{
    /// <summary>The bytes of a pad (<see cref="Pad"/>).</summary>
    public const int PadSize = 16;

    // SAFETY: the address of `_length` bytes; the holder of the struct has a pin on them.
    private readonly unsafe byte* _start;
    private readonly int _length;

    /// <summary>A key whose last eight bytes, or the bytes before it, are readable (see the remarks).</summary>
    // SAFETY: the caller keeps the bytes for as long as it uses the struct.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe RawKey(byte* start, int length)
    {
        _start = start;
        _length = length;
    }

    // SAFETY: nothing is read here; the holder of the struct keeps the bytes.
    public unsafe byte* Start => _start;

    public int Length => _length;

    // SAFETY: the key has `_length` bytes, which the holder of the struct keeps.
    public unsafe ReadOnlySpan<byte> Span => new(_start, _length);

    /// <summary>The key of the operation at <paramref name="operation"/>.</summary>
    // SAFETY: the operation is a finished one, so its key lies within it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe RawKey Of(byte* operation) =>
        new(new WalOperationView(operation).KeyAddress, new WalOperationView(operation).KeyLength);

    /// <summary>A caller's key, copied to <paramref name="pad"/> (16 bytes) if it is shorter than a head.</summary>
    // SAFETY: the pad has 16 bytes: the key is copied to its second half, and the eight bytes before its end are
    // readable.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe RawKey Pad(byte* start, int length, byte* pad)
    {
        if (length >= sizeof(ulong)) return new RawKey(start, length);
        new ReadOnlySpan<byte>(start, length).CopyTo(new Span<byte>(pad + sizeof(ulong), sizeof(ulong)));
        return new RawKey(pad + sizeof(ulong), length);
    }

    /// <summary>
    /// The eight bytes from <paramref name="offset"/> on as an integer that sorts as they do; zeros past the end.
    /// </summary>
    // SAFETY: eight bytes from the offset lie in the key, or the eight bytes before its end, which are readable.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe ulong Head(int offset)
    {
        var left = _length - offset;
        if (left >= sizeof(ulong)) return BigEndian(_start + offset);
        return left <= 0 ? 0 : BigEndian(_start + _length - sizeof(ulong)) << (64 - 8 * left);
    }

    /// <summary>The length of the common prefix of two keys.</summary>
    public int CommonPrefix(RawKey other) => Span.CommonPrefixLength(other.Span);

    /// <summary>Order by unsigned bytes.</summary>
    public int CompareTo(RawKey other) => Span.SequenceCompareTo(other.Span);

    /// <summary>Order by unsigned bytes, and the length of the common prefix.</summary>
    // SAFETY: `shared` is below both lengths here.
    public unsafe int CompareTo(RawKey other, out int shared)
    {
        shared = CommonPrefix(other);
        if (shared == _length || shared == other._length) return _length.CompareTo(other._length);
        return _start[shared] - other._start[shared];
    }

    // SAFETY: the caller has eight readable bytes there.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe ulong BigEndian(byte* at)
    {
        var value = Unsafe.ReadUnaligned<ulong>(at);
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
    }
}
