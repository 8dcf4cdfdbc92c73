namespace Varve.Tests.Shared;

/// <summary>
/// The wire format of a chunk in its shortest form: a second opinion on the product's decoder, for well-formed input
/// only (it throws <see cref="FormatException"/> or an index error on the rest). Field numbers are those of
/// raft_log.proto.
/// </summary>
internal static class WireChunk
{
    public static byte[] Encode(ReadOnlySpan<ApplyEntry> chunk)
    {
        var wire = new List<byte>();
        foreach (var entry in chunk)
        {
            var message = new List<byte>();
            Number(message, 1, entry.Index);
            Number(message, 2, entry.Term);
            Field(message, 3, Payload(entry.Command));
            Number(message, 15, entry.TimestampMs);
            Varint(wire, (ulong)message.Count);
            wire.AddRange(message);
        }
        return [.. wire];
    }

    private static List<byte> Payload(Command command)
    {
        var payload = new List<byte>();
        if (command.Kind == CommandKind.Noop)
        {
            Field(payload, 1, []);
            return payload;
        }
        var operation = new List<byte>();
        Bytes(operation, 1, command.Key);
        if (command.Kind == CommandKind.Insert)
        {
            Bytes(operation, 2, command.Value);
            Number(operation, 3, command.TtlSeconds);
        }
        else if (command.Kind == CommandKind.CompareAndDelete)
        {
            Bytes(operation, 2, command.Expected.GetValueOrDefault());
        }
        else if (command.Kind == CommandKind.Renew)
        {
            Number(operation, 2, command.TtlSeconds);
        }
        else if (command.Kind == CommandKind.CompareAndSwap)
        {
            if (command.Expected is { } expected) Field(operation, 2, expected.ToArray());
            Bytes(operation, 3, command.Value);
            Number(operation, 15, command.TtlSeconds);
        }
        var write = new List<byte>();
        var number = (int)command.Kind;
        Field(write, command.Kind < CommandKind.CompareAndDelete ? number : number + 10, operation);
        Field(payload, 2, write);
        return payload;
    }

    private static void Bytes(List<byte> to, int field, ReadOnlyMemory<byte> bytes)
    {
        if (!bytes.IsEmpty) Field(to, field, bytes.ToArray());
    }

    private static void Field(List<byte> to, int field, IReadOnlyCollection<byte> bytes)
    {
        Varint(to, ((ulong)field << 3) | 2);
        Varint(to, (ulong)bytes.Count);
        to.AddRange(bytes);
    }

    private static void Number(List<byte> to, int field, ulong number)
    {
        if (number == 0) return;
        Varint(to, (ulong)field << 3);
        Varint(to, number);
    }

    private static void Varint(List<byte> to, ulong number)
    {
        for (; number >= 0x80; number >>= 7)
            to.Add((byte)(number | 0x80));
        to.Add((byte)number);
    }

    public static ApplyEntry[] Decode(ReadOnlyMemory<byte> wire)
    {
        var entries = new List<ApplyEntry>();
        while (!wire.IsEmpty)
            entries.Add(Entry(Delimited(ref wire)));
        return [.. entries];
    }

    private static ApplyEntry Entry(ReadOnlyMemory<byte> message)
    {
        ulong index = 0, term = 0, time = 0;
        var command = Command.Noop;
        foreach (var (field, number, bytes) in Fields(message))
        {
            switch (field)
            {
                case 1: index = number; break;
                case 2: term = number; break;
                case 3: command = Payload(bytes); break;
                case 15: time = number; break;
            }
        }
        return new ApplyEntry(index, term, command, time);
    }

    private static Command Payload(ReadOnlyMemory<byte> payload)
    {
        var (field, _, write) = Fields(payload).Last();
        if (field != 2) return Command.Noop;
        var (kind, _, operation) = Fields(write).Last();
        ReadOnlyMemory<byte> key = default, third = default;
        ReadOnlyMemory<byte>? second = null;
        ulong ttl = 0;
        foreach (var (part, number, bytes) in Fields(operation))
        {
            switch (part)
            {
                case 1: key = bytes; break;
                case 2: second = bytes; break;
                case 3: (third, ttl) = (bytes, number); break;
            }
        }
        return (CommandKind)kind switch
        {
            CommandKind.Insert => Command.Insert(key, second ?? default, ttl),
            CommandKind.Delete => Command.Delete(key),
            CommandKind.CompareAndSwap => Command.CompareAndSwap(key, second, third),
            _ => throw new FormatException($"Unknown operation {kind}"),
        };
    }

    private static List<(int Field, ulong Number, ReadOnlyMemory<byte> Bytes)> Fields(ReadOnlyMemory<byte> message)
    {
        var fields = new List<(int, ulong, ReadOnlyMemory<byte>)>();
        while (!message.IsEmpty)
        {
            var tag = Varint(ref message);
            fields.Add((tag & 7) switch
            {
                0 => ((int)(tag >> 3), Varint(ref message), default),
                2 => ((int)(tag >> 3), 0, Delimited(ref message)),
                _ => throw new FormatException($"Unknown wire type {tag & 7}"),
            });
        }
        return fields;
    }

    private static ReadOnlyMemory<byte> Delimited(ref ReadOnlyMemory<byte> from)
    {
        var length = (int)Varint(ref from);
        var bytes = from[..length];
        from = from[length..];
        return bytes;
    }

    private static ulong Varint(ref ReadOnlyMemory<byte> from)
    {
        ulong number = 0;
        for (var i = 0; ; i++)
        {
            var b = from.Span[i];
            number |= (ulong)(b & 0x7F) << (7 * i);
            if (b < 0x80)
            {
                from = from[(i + 1)..];
                return number;
            }
        }
    }
}
