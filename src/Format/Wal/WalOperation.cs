using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Varve.Format;

/// <summary>
/// One effect of a chunk inside a WAL record: a version of a key, in its final form. The memtable refers to operations
/// in place, so each begins at a multiple of 8 within its segment and a reference is that offset divided by 8, in 32
/// bits (0 is none: a segment begins with its header).
/// <code>
///  0  u64  index          log index of the entry, the version's sequence number
///  8  u32  prior          reference to the key's next older version in this segment; 0: none here
/// 12  u32  value length   0 .. 1 GiB
/// 16  u16  key length     1 .. 65,535
/// 18  u8   kind           RecordKind
/// 19  u8   0
/// 20  key, then value, then for a leased put u64 deadline (Unix milliseconds); zero padding to a multiple of 8
/// </code>
/// All integers are little endian.
/// </summary>
internal static class WalOperation
{
    public const int IndexField = 0;
    public const int PriorField = IndexField + sizeof(ulong);
    public const int ValueLengthField = PriorField + sizeof(uint);
    public const int KeyLengthField = ValueLengthField + sizeof(uint);
    public const int KindField = KeyLengthField + sizeof(ushort);
    private const int ZeroField = KindField + sizeof(byte);
    public const int HeaderSize = ZeroField + sizeof(byte);
    public const int Alignment = 8;
    public const int KeyLengthMax = 65_535;
    public const int ValueLengthMax = 1 << 30;

    /// <summary>Bytes that the operation takes in a record, padding included.</summary>
    public static long SizeOf(int keyLength, int valueLength, RecordKind kind) =>
        (HeaderSize + (long)keyLength + valueLength + (kind == RecordKind.LeasedPut ? 8 : 0) + (Alignment - 1))
        & ~(Alignment - 1L);

    /// <summary>
    /// Writes header, key, value, deadline and padding; <paramref name="destination"/> has at least
    /// <see cref="SizeOf"/> bytes.
    /// </summary>
    public static long Write(
        Span<byte> destination, ulong index, OperationRef prior, RecordKind kind, ReadOnlySpan<byte> key,
        ReadOnlySpan<byte> value, ulong deadline)
    {
        var size = (int)SizeOf(key.Length, value.Length, kind);
        PlaceKey(destination[..size], key);
        Complete(destination[..size], index, prior, kind, key.Length, value, deadline);
        return size;
    }

    /// <summary>
    /// Writes padding and key of an operation that <paramref name="operation"/> is as long as; gives the key's copy.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ReadOnlySpan<byte> PlaceKey(Span<byte> operation, ReadOnlySpan<byte> key)
    {
        // The padding first: the last eight bytes are partly overwritten by what follows.
        BinaryPrimitives.WriteUInt64LittleEndian(operation[^8..], 0);
        var copy = operation.Slice(HeaderSize, key.Length);
        key.CopyTo(copy);
        return copy;
    }

    /// <summary>
    /// Moves what <see cref="PlaceKey"/> wrote to where an operation of <paramref name="size"/> bytes begins further
    /// down.
    /// </summary>
    public static void MoveKey(Span<byte> room, int from, int to, int size, int keyLength)
    {
        var key = room.Slice(from + HeaderSize, keyLength);
        key.CopyTo(room[(to + HeaderSize)..]);
        // Value and deadline are yet to come, and overwrite what this clears of their place.
        var padding = Math.Max(HeaderSize + keyLength, size - Alignment);
        room[(to + padding)..(to + size)].Clear();
    }

    /// <summary>The key of an operation whose bytes begin at <paramref name="at"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ReadOnlySpan<byte> KeyAt(ReadOnlySpan<byte> room, int at, int keyLength) =>
        room.Slice(at + HeaderSize, keyLength);

    /// <summary>Writes the header, value and deadline of an operation whose key is in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Complete(
        Span<byte> operation, ulong index, OperationRef prior, RecordKind kind, int keyLength, ReadOnlySpan<byte> value,
        ulong deadline)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(operation, index);
        BinaryPrimitives.WriteUInt32LittleEndian(operation[PriorField..], prior.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(operation[ValueLengthField..], (uint)value.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(operation[KeyLengthField..], (uint)keyLength | ((uint)kind << 16));
        value.CopyTo(operation[(HeaderSize + keyLength)..]);
        if (kind == RecordKind.LeasedPut)
            BinaryPrimitives.WriteUInt64LittleEndian(operation[(HeaderSize + keyLength + value.Length)..], deadline);
    }

    /// <summary>
    /// Checks one operation at the start of <paramref name="source"/> for shape alone: lengths within the limits and
    /// the span, a known kind, zero padding. Says nothing of its index or prior reference. The operation's record is
    /// intact, so that a kind that this build does not know is another build's.
    /// </summary>
    public static bool TryMeasure(ReadOnlySpan<byte> source, out int size, out DecodeError error)
    {
        size = 0;
        error = default;
        if (source.Length < HeaderSize)
        {
            error = new DecodeError(0, "operation header", "is cut off");
            return false;
        }

        var valueLength = BinaryPrimitives.ReadUInt32LittleEndian(source[ValueLengthField..]);
        var keyLength = BinaryPrimitives.ReadUInt16LittleEndian(source[KeyLengthField..]);
        var kind = (RecordKind)source[KindField];
        if (kind is < RecordKind.Put or > RecordKind.Tombstone)
            error = DecodeError.Unsupported(KindField, $"operation of kind {(byte)kind}");
        else if (source[ZeroField] != 0)
            error = DecodeError.Unsupported(ZeroField, $"operation with the flags 0x{source[ZeroField]:x2}");
        else if (keyLength == 0) error = new DecodeError(KeyLengthField, "operation", "has an empty key");
        else if (valueLength > ValueLengthMax)
            error = new DecodeError(ValueLengthField, "operation's value", "is longer than 1 GiB");
        else if (kind == RecordKind.Tombstone && valueLength != 0)
            error = new DecodeError(ValueLengthField, "tombstone", "carries a value");
        if (error.IsFault) return false;

        var whole = SizeOf(keyLength, (int)valueLength, kind);
        if (whole > source.Length)
        {
            error = new DecodeError(ValueLengthField, "operation", "runs past its record");
            return false;
        }

        size = (int)whole;
        return true;
    }

    public static ulong IndexOf(ReadOnlySpan<byte> operation) => BinaryPrimitives.ReadUInt64LittleEndian(operation);

    public static OperationRef PriorOf(ReadOnlySpan<byte> operation) =>
        new(BinaryPrimitives.ReadUInt32LittleEndian(operation[PriorField..]));

    /// <summary>
    /// The parts of an operation that <see cref="TryMeasure"/> found sound; the deadline is 0 but for a leased put.
    /// </summary>
    public static RecordKind Read(
        ReadOnlySpan<byte> operation, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value, out ulong deadline)
    {
        key = operation.Slice(HeaderSize, BinaryPrimitives.ReadUInt16LittleEndian(operation[KeyLengthField..]));
        value = operation.Slice(
            HeaderSize + key.Length, BinaryPrimitives.ReadInt32LittleEndian(operation[ValueLengthField..]));
        var kind = (RecordKind)operation[KindField];
        deadline = kind == RecordKind.LeasedPut
            ? BinaryPrimitives.ReadUInt64LittleEndian(operation[(HeaderSize + key.Length + value.Length)..])
            : 0;
        return kind;
    }
}
