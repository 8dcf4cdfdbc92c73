using System.Buffers;

namespace Varve.Format;

/// <summary>
/// Encodes entries of a chunk (<see cref="ChunkReader"/> draws them) for tests and tools: byte for byte what Google's
/// encoder emits. Fields by ascending number; a field that has its default is left out, except the optional expected
/// value, which is there exactly when it is given; messages are there even if empty.
/// </summary>
internal static class ChunkWriter
{
    public static void WriteNoop(IBufferWriter<byte> destination, ulong index, ulong term, ulong timestampMs = 0)
    {
        var writer = EntryWriter.Begin(destination, index, term, payloadSize: 2, timestampMs);
        writer.Bytes(WireTags.PayloadNoop, []);
        writer.End(timestampMs);
    }

    public static void WriteInsert(
        IBufferWriter<byte> destination, ulong index, ulong term, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value,
        ulong ttlSeconds = 0, ulong timestampMs = 0)
    {
        var size = SizeOf(key) + SizeOf(value) + SizeOf(ttlSeconds);
        var writer = EntryWriter.Begin(destination, index, term, CommandSize(size), timestampMs);
        writer.BeginOperation(WireTags.CommandInsert, size);
        writer.BytesUnlessEmpty(WireTags.OperationKey, key);
        writer.BytesUnlessEmpty(WireTags.InsertValue, value);
        writer.NumberUnlessZero(WireTags.InsertTtl, ttlSeconds);
        writer.End(timestampMs);
    }

    public static void WriteDelete(
        IBufferWriter<byte> destination, ulong index, ulong term, ReadOnlySpan<byte> key, ulong timestampMs = 0)
    {
        var size = SizeOf(key);
        var writer = EntryWriter.Begin(destination, index, term, CommandSize(size), timestampMs);
        writer.BeginOperation(WireTags.CommandDelete, size);
        writer.BytesUnlessEmpty(WireTags.OperationKey, key);
        writer.End(timestampMs);
    }

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
        ulong ttlSeconds = 0)
    {
        var size =
            SizeOf(key) + (hasExpected ? DelimitedSize(expected.Length) : 0) + SizeOf(value) + SizeOf(ttlSeconds);
        var writer = EntryWriter.Begin(destination, index, term, CommandSize(size), timestampMs);
        writer.BeginOperation(WireTags.CommandCompareAndSwap, size);
        writer.BytesUnlessEmpty(WireTags.OperationKey, key);
        if (hasExpected) writer.Bytes(WireTags.SwapExpected, expected);
        writer.BytesUnlessEmpty(WireTags.SwapNewValue, value);
        writer.NumberUnlessZero(WireTags.SwapTtl, ttlSeconds);
        writer.End(timestampMs);
    }

    private static int SizeOf(ReadOnlySpan<byte> field) => field.IsEmpty ? 0 : DelimitedSize(field.Length);

    private static int SizeOf(ulong field) => field == 0 ? 0 : 1 + WireVarint.SizeOf(field);

    private static int DelimitedSize(int length) => checked(1 + WireVarint.SizeOf((uint)length) + length);

    /// <summary>Size of a payload whose command has one operation of <paramref name="operationSize"/> bytes.</summary>
    private static int CommandSize(int operationSize) => DelimitedSize(DelimitedSize(operationSize));

    /// <summary>Fills one entry of known size from front to back.</summary>
    private ref struct EntryWriter
    {
        private IBufferWriter<byte> _destination;
        private Span<byte> _bytes;
        private int _at;

        /// <summary>Writes everything in front of the payload's content.</summary>
        public static EntryWriter Begin(
            IBufferWriter<byte> destination, ulong index, ulong term, int payloadSize, ulong timestampMs)
        {
            var size = checked(SizeOf(index) + SizeOf(term) + DelimitedSize(payloadSize) + SizeOf(timestampMs));
            var writer =
                new EntryWriter { _destination = destination, _bytes = destination.GetSpan(size + WireVarint.SizeMax) };
            writer.Varint((uint)size);
            writer.NumberUnlessZero(WireTags.EntryIndex, index);
            writer.NumberUnlessZero(WireTags.EntryTerm, term);
            writer.Header(WireTags.EntryPayload, payloadSize);
            return writer;
        }

        public void BeginOperation(byte tag, int size)
        {
            Header(WireTags.PayloadCommand, DelimitedSize(size));
            Header(tag, size);
        }

        public void Bytes(byte tag, ReadOnlySpan<byte> value)
        {
            Header(tag, value.Length);
            value.CopyTo(_bytes[_at..]);
            _at += value.Length;
        }

        public void BytesUnlessEmpty(byte tag, ReadOnlySpan<byte> value)
        {
            if (!value.IsEmpty) Bytes(tag, value);
        }

        public void NumberUnlessZero(byte tag, ulong value)
        {
            if (value == 0) return;
            _bytes[_at++] = tag;
            Varint(value);
        }

        public void End(ulong timestampMs)
        {
            NumberUnlessZero(WireTags.EntryTimestamp, timestampMs);
            _destination.Advance(_at);
        }

        private void Header(byte tag, int length)
        {
            _bytes[_at++] = tag;
            Varint((uint)length);
        }

        private void Varint(ulong value) => _at += WireVarint.Write(_bytes[_at..], value);
    }
}
