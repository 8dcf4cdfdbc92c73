namespace Varve.Format;

/// <summary>
/// One decoded entry of a chunk: its numbers, and where in the chunk its bytes stand. A plain value of offsets, so that
/// it can be kept in an array; it means something only together with the chunk that it was read from.
/// </summary>
internal struct WireEntry
{
    public ulong Index;
    public ulong Term;

    /// <summary>The leader's clock, Unix milliseconds; 0: none.</summary>
    public ulong TimestampMs;

    /// <summary>For an insert, a compare-and-swap and a renewal: seconds to live; 0: no expiry.</summary>
    public ulong TtlSeconds;

    public int KeyOffset;
    public int KeyLength;
    public int ValueOffset;
    public int ValueLength;
    public int ExpectedOffset;

    /// <summary>
    /// For a compare-and-swap: -1 if the key must not exist. Never -1 for a compare-and-delete; -1 for all others.
    /// </summary>
    public int ExpectedLength;

    public CommandKind Kind;

    public readonly ReadOnlySpan<byte> KeyIn(ReadOnlySpan<byte> chunk) => chunk.Slice(KeyOffset, KeyLength);

    public readonly ReadOnlySpan<byte> ValueIn(ReadOnlySpan<byte> chunk) => chunk.Slice(ValueOffset, ValueLength);

    /// <summary>Empty also when no value is expected; <see cref="ExpectedLength"/> tells the two apart.</summary>
    public readonly ReadOnlySpan<byte> ExpectedIn(ReadOnlySpan<byte> chunk) =>
        chunk.Slice(ExpectedOffset, Math.Max(ExpectedLength, 0));
}
