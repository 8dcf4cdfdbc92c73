using System.Buffers.Binary;

namespace Varve.Tests.Format.Wire;

/// <summary>
/// Writes protobuf as no encoder would, mostly legally: fields in any order and any number of times, unknown ones of
/// every wire type between, padded varints, known fields with foreign wire types; and now and then something illegal.
/// </summary>
internal sealed class WireNoise(Random random, int illegalPerThousand)
{
    private enum Field
    {
        Number,
        Bytes,
        Text,
        Entry,
        Payload,
        Command,
        Change,
        Node,
        Empty,
        Insert,
        Delete,
        Swap,
    }

    private static readonly Dictionary<Field, (int Number, Field Kind)[]> Messages = new()
    {
        [Field.Entry] = [
            (1, Field.Number), (2, Field.Number), (3, Field.Payload), (3, Field.Payload), (15, Field.Number)],
        [Field.Payload] = [
            (1, Field.Empty), (2, Field.Command), (2, Field.Command), (2, Field.Command), (3, Field.Change)],
        [Field.Command] = [(1, Field.Insert), (1, Field.Insert), (2, Field.Delete), (3, Field.Swap), (3, Field.Swap)],
        [Field.Change] = [(1, Field.Node), (2, Field.Empty)],
        [Field.Node] = [(1, Field.Number), (2, Field.Text)],
        [Field.Empty] = [(1, Field.Number)],
        [Field.Insert] = [(1, Field.Bytes), (2, Field.Bytes), (3, Field.Number)],
        [Field.Delete] = [(1, Field.Bytes)],
        [Field.Swap] = [(1, Field.Bytes), (2, Field.Bytes), (3, Field.Bytes)],
    };

    private readonly List<byte> _bytes = [];

    public static byte[] Chunk(int seed, int illegalPerThousand)
    {
        var random = new Random(seed);
        var noise = new WireNoise(random, illegalPerThousand);
        for (var entries = random.Next(4); entries >= 0; entries--) noise.Delimited(noise.Message(Field.Entry));
        return [.. noise._bytes];
    }

    private byte[] Message(Field message)
    {
        var inner = new WireNoise(random, illegalPerThousand);
        var known = Messages[message];
        for (var fields = random.Next(5); fields >= 0; fields--)
        {
            if (random.Next(6) == 0) inner.Unknown(random.Next(4) == 0 ? random.Next(1, 4) : FieldNumber(), 0);
            else inner.Known(known[random.Next(known.Length)]);
        }

        return [.. inner._bytes];
    }

    private void Known((int Number, Field Kind) field)
    {
        if (field.Kind == Field.Number)
        {
            Tag(field.Number, 0);
            Varint(AnyNumber());
            return;
        }

        Tag(field.Number, 2);
        switch (field.Kind)
        {
            case Field.Bytes: Delimited(AnyBytes()); break;
            case Field.Text: Delimited(Illegal() ? AnyBytes() : "høst:1"u8.ToArray()); break;
            case Field.Command when Illegal(): Delimited(AnyBytes()); break;
            default: Delimited(Message(field.Kind)); break;
        }
    }

    private void Unknown(int number, int depth)
    {
        var wireType = Illegal() ? random.Next(8) : random.Next(5) switch { 4 => 5, var type => type };
        Tag(number, wireType);
        switch (wireType)
        {
            case 0: Varint(AnyNumber()); break;
            case 1: Fixed(8); break;
            case 2: Delimited(AnyBytes()); break;
            case 3:
                for (var fields = depth > 4 ? 0 : random.Next(3); fields > 0; fields--)
                    Unknown(FieldNumber(), depth + 1);
                if (!Illegal()) Tag(Illegal() ? number + 1 : number, 4);
                break;
            case 5: Fixed(4); break;
        }
    }

    private bool Illegal() => random.Next(1000) < illegalPerThousand;

    private int FieldNumber() =>
        random.Next(3) switch { 0 => random.Next(1, 16), 1 => random.Next(16, 3000), _ => random.Next(1, 1 << 29) };

    private ulong AnyNumber() => (ulong)random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64);

    private byte[] AnyBytes()
    {
        var bytes = new byte[random.Next(4) == 0 ? random.Next(120, 140) : random.Next(6)];
        random.NextBytes(bytes);
        return bytes;
    }

    private void Fixed(int size)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, AnyNumber());
        _bytes.AddRange(bytes[..size]);
    }

    private void Tag(int number, int wireType) =>
        Varint(Illegal() ? 0 : ((uint)number << 3) | (uint)wireType, highBits: random.Next(20) == 0);

    private void Delimited(byte[] content)
    {
        var length = Illegal() ? (ulong)(content.Length + random.Next(-3, 4)) : (ulong)content.Length;
        Varint(length, highBits: random.Next(20) == 0);
        _bytes.AddRange(content);
    }

    /// <summary>
    /// Sometimes padded with empty groups up to ten bytes (illegally: eleven), sometimes with bits that a 32-bit reader
    /// drops.
    /// </summary>
    private void Varint(ulong value, bool highBits = false)
    {
        if (highBits) value = (uint)value | ((ulong)random.Next() << 32);
        var size = Varve.Format.WireVarint.SizeOf(value);
        var padded = random.Next(8) == 0 ? random.Next(size, 11) : size;
        if (Illegal()) padded = 11;
        for (var i = 0; i < padded; i++)
        {
            _bytes.Add((byte)((value & 0x7F) | (i == padded - 1 ? 0u : 0x80u)));
            value >>= 7;
        }
    }
}
