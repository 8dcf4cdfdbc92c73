using System.Buffers;

namespace Varve.Format;

/// <summary>
/// Encodes entries of a chunk, and commands alone (<see cref="ChunkReader"/> draws them): byte for byte as Google's
/// encoder does. Fields by ascending number; a field that has its default is left out, except the optional expected
/// value, which is there exactly when it is given; messages are there even if empty.
/// </summary>
internal static class WireWriter
{
    public static void WriteNoop(IBufferWriter<byte> destination, ulong index, ulong term, ulong timestampMs = 0) =>
        Write(destination, index, term, default, timestampMs);

    public static void WriteInsert(
        IBufferWriter<byte> destination, ulong index, ulong term, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value,
        ulong ttlSeconds = 0, ulong timestampMs = 0) =>
        Write(
            destination, index, term,
            new WireCommand { Kind = CommandKind.Insert, Key = key, Value = value, TtlSeconds = ttlSeconds },
            timestampMs);

    public static void WriteDelete(
        IBufferWriter<byte> destination, ulong index, ulong term, ReadOnlySpan<byte> key, ulong timestampMs = 0) =>
        Write(destination, index, term, new WireCommand { Kind = CommandKind.Delete, Key = key }, timestampMs);

    /// <param name="destination">Where the entry is appended.</param>
    /// <param name="index">The entry's log index.</param>
    /// <param name="term">The entry's term.</param>
    /// <param name="key">The key.</param>
    /// <param name="hasExpected">False: the key must not exist, and <paramref name="expected"/> is not written.</param>
    /// <param name="expected">The value that the key must have.</param>
    /// <param name="value">The value that it gets.</param>
    /// <param name="timestampMs">The leader's clock; 0: none.</param>
    /// <param name="ttlSeconds">Seconds until the key expires; 0: never.</param>
    public static void WriteCompareAndSwap(
        IBufferWriter<byte> destination,
        ulong index,
        ulong term,
        ReadOnlySpan<byte> key,
        bool hasExpected,
        ReadOnlySpan<byte> expected,
        ReadOnlySpan<byte> value,
        ulong timestampMs = 0,
        ulong ttlSeconds = 0) =>
        Write(
            destination, index, term,
            new WireCommand
            {
                Kind = CommandKind.CompareAndSwap,
                Key = key,
                Value = value,
                HasExpected = hasExpected,
                Expected = expected,
                TtlSeconds = ttlSeconds,
            },
            timestampMs);

    /// <summary>Appends an <c>Entry</c>, after its length.</summary>
    public static void Write(
        IBufferWriter<byte> destination, ulong index, ulong term, scoped in WireCommand command, ulong timestampMs = 0)
    {
        var size = OperationSize(command);
        var payloadSize = command.Kind == CommandKind.Noop ? DelimitedSize(0) : DelimitedSize(DelimitedSize(size));
        var entrySize = checked(SizeOf(index) + SizeOf(term) + DelimitedSize(payloadSize) + SizeOf(timestampMs));
        var writer = new FieldSpan(destination, entrySize + WireVarint.SizeMax);
        writer.Varint((uint)entrySize);
        writer.NumberUnlessZero(WireTags.EntryIndex, index);
        writer.NumberUnlessZero(WireTags.EntryTerm, term);
        writer.Header(WireTags.EntryPayload, payloadSize);
        if (command.Kind == CommandKind.Noop)
        {
            writer.Bytes(WireTags.PayloadNoop, []);
        }
        else
        {
            writer.Header(WireTags.PayloadCommand, DelimitedSize(size));
            writer.Operation(command, size);
        }

        writer.NumberUnlessZero(WireTags.EntryTimestamp, timestampMs);
        writer.End();
    }

    /// <summary>Appends a <c>WriteCommand</c> alone; nothing for a no-op, which has no operation.</summary>
    public static void WriteCommand(IBufferWriter<byte> destination, scoped in WireCommand command)
    {
        if (command.Kind == CommandKind.Noop) return;
        var size = OperationSize(command);
        var writer = new FieldSpan(destination, DelimitedSize(size));
        writer.Operation(command, size);
        writer.End();
    }

    private static int OperationSize(scoped in WireCommand command)
    {
        var key = SizeOf(command.Key);
        return command.Kind switch
        {
            CommandKind.Insert => checked(key + SizeOf(command.Value) + SizeOf(command.TtlSeconds)),
            CommandKind.CompareAndSwap => checked(
                key + (command.HasExpected ? DelimitedSize(command.Expected.Length) : 0) + SizeOf(command.Value)
                + SizeOf(command.TtlSeconds)),
            CommandKind.CompareAndDelete => checked(key + SizeOf(command.Expected)),
            CommandKind.Renew => key + SizeOf(command.TtlSeconds),
            _ => key,
        };
    }

    private static int SizeOf(ReadOnlySpan<byte> field) => field.IsEmpty ? 0 : DelimitedSize(field.Length);

    private static int SizeOf(ulong field) => field == 0 ? 0 : 1 + WireVarint.SizeOf(field);

    private static int DelimitedSize(int length) => checked(1 + WireVarint.SizeOf((uint)length) + length);

    /// <summary>Fills bytes of known size from front to back.</summary>
    private ref struct FieldSpan(IBufferWriter<byte> destination, int size)
    {
        private readonly IBufferWriter<byte> _destination = destination;
        private readonly Span<byte> _bytes = destination.GetSpan(size);
        private int _at;

        /// <summary>Writes the one operation of a command.</summary>
        public void Operation(scoped in WireCommand command, int size)
        {
            Header(TagOf(command.Kind), size);
            BytesUnlessEmpty(WireTags.OperationKey, command.Key);
            switch (command.Kind)
            {
                case CommandKind.Insert:
                    BytesUnlessEmpty(WireTags.InsertValue, command.Value);
                    NumberUnlessZero(WireTags.InsertTtl, command.TtlSeconds);
                    break;
                case CommandKind.CompareAndSwap:
                    if (command.HasExpected) Bytes(WireTags.SwapExpected, command.Expected);
                    BytesUnlessEmpty(WireTags.SwapNewValue, command.Value);
                    NumberUnlessZero(WireTags.SwapTtl, command.TtlSeconds);
                    break;
                case CommandKind.CompareAndDelete:
                    BytesUnlessEmpty(WireTags.DeleteExpected, command.Expected);
                    break;
                case CommandKind.Renew:
                    NumberUnlessZero(WireTags.RenewTtl, command.TtlSeconds);
                    break;
            }
        }

        public void Bytes(byte tag, scoped ReadOnlySpan<byte> value)
        {
            Header(tag, value.Length);
            value.CopyTo(_bytes[_at..]);
            _at += value.Length;
        }

        public void NumberUnlessZero(byte tag, ulong value)
        {
            if (value == 0) return;
            _bytes[_at++] = tag;
            Varint(value);
        }

        public void Header(byte tag, int length)
        {
            _bytes[_at++] = tag;
            Varint((uint)length);
        }

        public void Varint(ulong value) => _at += WireVarint.Write(_bytes[_at..], value);

        public readonly void End() => _destination.Advance(_at);

        private void BytesUnlessEmpty(byte tag, scoped ReadOnlySpan<byte> value)
        {
            if (!value.IsEmpty) Bytes(tag, value);
        }

        private static byte TagOf(CommandKind kind) => kind switch
        {
            CommandKind.Insert => WireTags.CommandInsert,
            CommandKind.Delete => WireTags.CommandDelete,
            CommandKind.CompareAndSwap => WireTags.CommandCompareAndSwap,
            CommandKind.CompareAndDelete => WireTags.CommandCompareAndDelete,
            CommandKind.Renew => WireTags.CommandRenew,
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "The kind has no operation."),
        };
    }
}
