namespace Varve.Bench.Peers.Engines;

/// <summary>
/// Inserts as the wire format of a chunk: varint-delimited protobuf <c>Entry { index = 1, term = 2, payload = 3 {
/// command = 2 { insert = 1 { key = 1, value = 2 } } } }</c>. Only what a benchmark needs, so that its input does not
/// depend on the code under test.
/// </summary>
internal static class WireChunkEncoder
{
    private const ulong Term = 1;

    public static int Size(ulong index, int keyBytes, int valueBytes)
    {
        var entry = EntryLength(index, keyBytes, valueBytes);
        return VarintLength((ulong)entry) + entry;
    }

    public static int Write(Span<byte> to, ulong index, ReadOnlySpan<byte> key, int valueBytes, out Span<byte> value)
    {
        var keyBytes = key.Length;
        var insert = InsertLength(keyBytes, valueBytes);
        var command = Field(insert);
        var payload = Field(command);
        var at = Varint(to, 0, (ulong)EntryLength(index, keyBytes, valueBytes));
        to[at++] = 0x08;
        at = Varint(to, at, index);
        to[at++] = 0x10;
        at = Varint(to, at, Term);
        at = Header(to, at, 0x1A, payload);
        at = Header(to, at, 0x12, command);
        at = Header(to, at, 0x0A, insert);
        at = Header(to, at, 0x0A, keyBytes);
        key.CopyTo(to[at..]);
        at = Header(to, at + keyBytes, 0x12, valueBytes);
        value = to.Slice(at, valueBytes);
        return at + valueBytes;
    }

    private static int InsertLength(int keyBytes, int valueBytes) => Field(keyBytes) + Field(valueBytes);

    private static int EntryLength(ulong index, int keyBytes, int valueBytes) =>
        1 + VarintLength(index) + 1 + VarintLength(Term) + Field(Field(Field(InsertLength(keyBytes, valueBytes))));

    private static int Field(int length) => 1 + VarintLength((ulong)length) + length;

    private static int Header(Span<byte> to, int at, byte tag, int length)
    {
        to[at] = tag;
        return Varint(to, at + 1, (ulong)length);
    }

    private static int VarintLength(ulong value)
    {
        var length = 1;
        for (; value >= 0x80; value >>= 7) length++;
        return length;
    }

    private static int Varint(Span<byte> to, int at, ulong value)
    {
        for (; value >= 0x80; value >>= 7) to[at++] = (byte)(value | 0x80);
        to[at++] = (byte)value;
        return at;
    }
}
