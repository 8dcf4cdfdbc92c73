using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>
/// Reads the fixed-width little-endian fields of our own records from bytes that may be anything. The first failure
/// sticks: every later read gives zero and moves nothing, so a codec reads its fields in order and looks at
/// <see cref="Failed"/> before it trusts, loops over or allocates by what it read.
/// </summary>
internal ref struct FieldReader(ReadOnlySpan<byte> source)
{
    private readonly ReadOnlySpan<byte> _source = source;
    private DecodeError _error;
    private long _charged;

    /// <summary>
    /// The most memory that the decoded record may take. Codecs charge before they allocate.
    /// </summary>
    public long MemoryMax { get; init; } = long.MaxValue;

    /// <summary>Offset of the next field.</summary>
    public int Position { get; private set; }

    public readonly int Remaining => _source.Length - Position;

    public readonly bool Failed => _error.IsFault;

    public readonly DecodeError Error => _error;

    /// <summary>Records a failure found by the caller, unless there was one before.</summary>
    public void Fail(long offset, string field, string problem)
    {
        if (!Failed) _error = new DecodeError(offset, field, problem);
    }

    /// <summary>Records something that this build does not know, unless there was a failure before.</summary>
    public void Unsupported(long offset, string met)
    {
        if (!Failed) _error = DecodeError.Unsupported(offset, met);
    }

    public byte U8(string what) => Take(1, what) is [var value] ? value : (byte)0;

    public ushort U16(string what) =>
        Take(2, what) is { Length: 2 } field ? BinaryPrimitives.ReadUInt16LittleEndian(field) : (ushort)0;

    public uint U32(string what) =>
        Take(4, what) is { Length: 4 } field ? BinaryPrimitives.ReadUInt32LittleEndian(field) : 0;

    public ulong U64(string what) =>
        Take(8, what) is { Length: 8 } field ? BinaryPrimitives.ReadUInt64LittleEndian(field) : 0;

    public UInt128 U128(string what) =>
        Take(16, what) is { Length: 16 } field ? BinaryPrimitives.ReadUInt128LittleEndian(field) : UInt128.Zero;

    /// <summary>A u64 that must fit a non-negative <see cref="long"/>.</summary>
    public long I63(string what)
    {
        var at = Position;
        var value = U64(what);
        if (value <= long.MaxValue) return (long)value;
        Fail(at, what, "is out of range");
        return 0;
    }

    /// <summary>Sixteen bytes in the order in which the identifier is printed.</summary>
    public Guid Identifier(string what) =>
        Take(16, what) is { Length: 16 } field ? new Guid(field, bigEndian: true) : Guid.Empty;

    /// <summary>Bytes in place, without a copy; empty after a failure.</summary>
    public ReadOnlySpan<byte> Take(int length, string what)
    {
        if (Failed) return default;
        if ((uint)length > (uint)Remaining)
        {
            Fail(Position, what, "is cut off");
            return default;
        }

        var field = _source.Slice(Position, length);
        Position += length;
        return field;
    }

    /// <summary>
    /// A u32 length, checked against <paramref name="lengthMax"/> and what is left, then that many bytes, in place.
    /// </summary>
    public ReadOnlySpan<byte> Blob(int lengthMax, string what)
    {
        var at = Position;
        var length = U32(what);
        if (length <= (uint)lengthMax) return Take((int)length, what);
        Fail(at, what, "is too long");
        return default;
    }

    /// <summary>
    /// A u32 count of elements of at least <paramref name="elementSizeMin"/> bytes each: one that the bytes left cannot
    /// hold fails here, before anything is allocated by it.
    /// </summary>
    public int Count(int elementSizeMin, string what)
    {
        var at = Position;
        var count = U32(what);
        if (count <= (uint)(Remaining / elementSizeMin)) return (int)count;
        Fail(at, what, "is more than the bytes after it can hold");
        return 0;
    }

    /// <summary>
    /// Accounts for memory about to be allocated; false, and failed, when it is more than there may be.
    /// </summary>
    public bool Charge(long bytes)
    {
        _charged += bytes;
        if (_charged > MemoryMax) Fail(Position, "decoded record", "takes too much memory");
        return !Failed;
    }

    /// <summary>
    /// The version that a record begins with; one that this build does not know fails as unsupported.
    /// </summary>
    public void Version(ushort known, string what)
    {
        var at = Position;
        var version = U16(what);
        if (version != known) Unsupported(at, $"{what} of version {version} (this build reads {known})");
    }

    /// <summary>A byte of flags; one that this build does not know fails as unsupported.</summary>
    public byte Flags(byte known, string what)
    {
        var at = Position;
        var flags = U8(what);
        if ((flags & ~known) != 0) Unsupported(at, $"{what} with the flags 0x{flags & ~known:x2}");
        return flags;
    }

    /// <summary>Fails when bytes are left behind what was read.</summary>
    public void End(string what)
    {
        if (Remaining != 0) Fail(Position, what, "has bytes after it");
    }
}
