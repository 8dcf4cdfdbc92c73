using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>
/// Payload of a lease clean-up's record: the latest deadline of the leases that it reported, and their keys.
/// <code>
///  0  u64  deadline    Unix milliseconds
///  8  u32  key count
/// 12  u32  0
/// 16  for each key: u16 length (1 .. 65,535), key; then zero padding to a multiple of 8
/// </code>
/// All integers are little endian.
/// </summary>
internal readonly ref struct CleanUpMarker
{
    /// <summary>Bytes of a payload that names no keys, the least.</summary>
    public const int SizeMin = KeysField;

    private const int CountField = sizeof(ulong);
    private const int ZeroField = CountField + sizeof(uint);
    private const int KeysField = ZeroField + sizeof(uint);
    private const int Alignment = 8;

    private readonly ReadOnlySpan<byte> _keys;
    private readonly int _count;

    private CleanUpMarker(ulong deadline, ReadOnlySpan<byte> keys, int count)
    {
        Deadline = deadline;
        _keys = keys;
        _count = count;
    }

    /// <summary>The latest deadline of the leases that clean-ups have reported, Unix milliseconds.</summary>
    public ulong Deadline { get; }

    /// <summary>The reported keys, in their order.</summary>
    public KeyReader Keys => new(_keys, _count);

    /// <summary>Bytes of a payload for keys of this length in all.</summary>
    public static long SizeOf(int count, long keyBytes) =>
        (KeysField + (long)count * sizeof(ushort) + keyBytes + (Alignment - 1)) & ~(Alignment - 1L);

    /// <summary>Writes a payload of exactly <see cref="SizeOf"/> bytes.</summary>
    /// <param name="payload">Receives it.</param>
    /// <param name="deadline">The latest deadline.</param>
    /// <param name="keys">The keys, each of 1 to 65,535 bytes.</param>
    public static void Write(Span<byte> payload, ulong deadline, ReadOnlySpan<ReadOnlyMemory<byte>> keys)
    {
        payload.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(payload, deadline);
        BinaryPrimitives.WriteInt32LittleEndian(payload[CountField..], keys.Length);
        var at = KeysField;
        foreach (var key in keys)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(payload[at..], (ushort)key.Length);
            key.Span.CopyTo(payload[(at + sizeof(ushort))..]);
            at += sizeof(ushort) + key.Length;
        }
    }

    /// <summary>Opens the payload of a verified record; checks its shape to the end.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> payload, out CleanUpMarker marker, out DecodeError error)
    {
        marker = default;
        error = default;
        if (payload.Length < CountField) return Fail(0, "clean-up", "has no deadline", out error);
        var deadline = BinaryPrimitives.ReadUInt64LittleEndian(payload);
        if (payload.Length < KeysField) return Fail(CountField, "clean-up's key count", "is cut off", out error);
        var count = BinaryPrimitives.ReadUInt32LittleEndian(payload[CountField..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(payload[ZeroField..]) != 0)
        {
            error = DecodeError.Unsupported(ZeroField, "clean-up with flags");
            return false;
        }

        var at = KeysField;
        for (var i = 0u; i < count; i++)
        {
            if (payload.Length - at < sizeof(ushort))
                return Fail(at, "clean-up's keys", "run past their record", out error);
            var length = BinaryPrimitives.ReadUInt16LittleEndian(payload[at..]);
            if (length == 0) return Fail(at, "clean-up", "names an empty key", out error);
            if (payload.Length - at - sizeof(ushort) < length)
                return Fail(at, "clean-up's keys", "run past their record", out error);
            at += sizeof(ushort) + length;
        }

        if (payload.Length - at >= Alignment || payload[at..].ContainsAnyExcept((byte)0))
            return Fail(at, "clean-up", "does not end where its record ends", out error);
        marker = new CleanUpMarker(deadline, payload[KeysField..], (int)count);
        return true;
    }

    private static bool Fail(int at, string field, string problem, out DecodeError error)
    {
        error = new DecodeError(WalRecordHeader.Size + at, field, problem);
        return false;
    }

    /// <summary>Walks the keys of a marker that <see cref="TryOpen"/> found sound.</summary>
    internal ref struct KeyReader(ReadOnlySpan<byte> keys, int count)
    {
        private ReadOnlySpan<byte> _rest = keys;
        private int _left = count;

        /// <summary>The key that the last move went to.</summary>
        public ReadOnlySpan<byte> Current { get; private set; }

        /// <summary>Moves to the next key; false after the last.</summary>
        public bool MoveNext()
        {
            if (_left == 0) return false;
            _left--;
            var length = BinaryPrimitives.ReadUInt16LittleEndian(_rest);
            Current = _rest.Slice(sizeof(ushort), length);
            _rest = _rest[(sizeof(ushort) + length)..];
            return true;
        }
    }
}
