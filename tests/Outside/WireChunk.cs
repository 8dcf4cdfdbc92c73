namespace Varve.Tests.Outside;

/// <summary>Writes a wire chunk by hand, from the field numbers of the published schema alone.</summary>
internal sealed class WireChunk
{
    private const byte Varint = 0;
    private const byte Delimited = 2;

    private readonly List<byte> _bytes = [];

    public byte[] ToArray() => [.. _bytes];

    public WireChunk Insert(ulong index, ulong term, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        Entry(index, term, Operation(1, [.. Field(1, key), .. Field(2, value)]));

    public WireChunk Delete(ulong index, ulong term, ReadOnlySpan<byte> key) =>
        Entry(index, term, Operation(2, Field(1, key)));

    public WireChunk CompareAndSwap(
        ulong index, ulong term, ReadOnlySpan<byte> key, byte[]? expected, ReadOnlySpan<byte> value) =>
        Entry(
            index, term,
            Operation(3, [.. Field(1, key), .. expected is null ? [] : Field(2, expected), .. Field(3, value)]));

    public WireChunk Noop(ulong index, ulong term) => Entry(index, term, Field(1, []));

    private static byte[] Operation(int number, ReadOnlySpan<byte> operation) => Field(2, Field(number, operation));

    private WireChunk Entry(ulong index, ulong term, ReadOnlySpan<byte> payload)
    {
        byte[] entry = [.. Field(1, index), .. Field(2, term), .. Field(3, payload)];
        _bytes.AddRange(Number((ulong)entry.Length));
        _bytes.AddRange(entry);
        return this;
    }

    private static byte[] Field(int number, ReadOnlySpan<byte> content) =>
        [(byte)(number << 3 | Delimited), .. Number((ulong)content.Length), .. content];

    private static byte[] Field(int number, ulong value) => [(byte)(number << 3 | Varint), .. Number(value)];

    private static byte[] Number(ulong value)
    {
        var result = new List<byte>();
        for (; value >= 0x80; value >>= 7) result.Add((byte)(value | 0x80));
        result.Add((byte)value);
        return [.. result];
    }
}
