using System.Buffers.Binary;
using System.IO.Hashing;
using Varve.Format;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>
/// A WAL record from its header through its columns to its operations, walked as recovery walks it. Beside the
/// checksum, flag 2 puts the record's length right.
/// </summary>
internal static class WalRecordTarget
{
    private const byte FixLength = 2;
    private const long Offset = WalSegmentHeader.Size;
    private const ulong Salt = 0x5EED_5A17;

    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var bytes = SealedInput.Open(input, out var flags);
        Reseal(bytes, flags);
        var read = WalRecordHeader.TryRead(bytes, Offset, Salt, out var header, out var error);
        ErrorFits(read, error, bytes.Length);
        if (!read) return Feature.Of(error);

        CheckHeader(bytes, header);
        var feature = Feature.Of("record", (ulong)header.Type
            | Feature.Bucket((long)(header.LastIndex - header.FirstIndex)) << 8
            | Feature.Bucket(header.EntryCount) << 16);
        if (header.Type == WalRecordType.Clean) return Feature.Join(feature, WalkCleanUp(bytes, header));
        if (header.Type == WalRecordType.Mark) CheckMark(bytes.AsSpan(WalRecordHeader.Size, header.PayloadLength));
        if (header.Type != WalRecordType.Chunk) return feature;
        var payload = bytes.AsSpan(WalRecordHeader.Size, header.PayloadLength);
        var opened = ChunkColumns.TryOpen(payload, header, out var columns, out error);
        ErrorFits(opened, error, bytes.Length);
        if (!opened) return Feature.Join(feature, Feature.Of(error));

        feature = Feature.Join(feature, (ulong)header.Flags);
        CheckColumns(columns, header);
        return Feature.Join(feature, WalkOperations(bytes.AsSpan(0, header.Length), header));
    }

    public static IEnumerable<(string, byte[])> Seeds()
    {
        var plain = Chunk(
            new EntryPosition { Index = 5, Term = 2, LogTimeMs = 9, Succeeded = true },
            new EntryPosition { Index = 6, Term = 2, LogTimeMs = 9 });
        var columns = Chunk(
            new EntryPosition { Index = 5, Term = 2, LogTimeMs = 9, Succeeded = true },
            new EntryPosition { Index = 300, Term = 3, LogTimeMs = 1000 });
        // Columns are rises, so that going back is a rise that wraps.
        var first = new EntryPosition { Index = 5, Term = 2, LogTimeMs = 9 };
        var indexes = Chunk(first, first with { Index = 3 }, first with { Index = 9 });
        var terms = Chunk(first, first with { Index = 6, Term = 1 }, first with { Index = 7, Term = 3 });
        var times = Chunk(first, first with { Index = 6, LogTimeMs = 1 }, first with { Index = 7, LogTimeMs = 10 });
        var link = new byte[WalRecordHeader.Size + 24];
        new WalRecordHeader { Offset = Offset, Length = link.Length, PayloadLength = 24, Type = WalRecordType.Link }
            .Finish(link, Salt);
        ReadOnlyMemory<byte>[] keys = ["pear"u8.ToArray(), "fig"u8.ToArray()];
        var cleanUp = new byte[WalRecordHeader.Size + CleanUpMarker.SizeOf(keys.Length, 7)];
        CleanUpMarker.Write(cleanUp.AsSpan(WalRecordHeader.Size), 77, keys);
        new WalRecordHeader
        {
            Offset = Offset,
            Length = cleanUp.Length,
            PayloadLength = cleanUp.Length - WalRecordHeader.Size,
            Type = WalRecordType.Clean,
        }.Finish(cleanUp, Salt);
        var mark = new byte[WalMarker.SizeOf(WalRecordType.Mark)];
        MarkMarker.Write(new LogMark("outer 7"u8), mark.AsSpan(WalRecordHeader.Size));
        new WalRecordHeader
        {
            Offset = Offset,
            Length = mark.Length,
            PayloadLength = MarkMarker.Size,
            Type = WalRecordType.Mark
        }.Finish(mark, Salt);
        var marked = MarkedChunk("mark"u8, first, first with { Index = 6 });
        const byte flags = SealedInput.Reseal | FixLength;
        return
        [
            .. SealedInput.Seeds("plain", plain, flags), .. SealedInput.Seeds("columns", columns, SealedInput.Reseal),
            .. SealedInput.Seeds("link", link, flags), .. SealedInput.Seeds("clean-up", cleanUp),
            .. SealedInput.Seeds("mark", mark, flags), .. SealedInput.Seeds("marked", marked, SealedInput.Reseal),
            .. SealedInput.Seeds("indexes-go-back", indexes), .. SealedInput.Seeds("terms-go-back", terms),
            .. SealedInput.Seeds("times-go-back", times),
        ];
    }

    private static byte[] Chunk(params EntryPosition[] entries) => MarkedChunk([], entries);

    private static byte[] MarkedChunk(ReadOnlySpan<byte> mark, params EntryPosition[] entries)
    {
        var record = new byte[1024];
        var flags = ChunkColumnsWriter.Needed(entries) | (mark.IsEmpty ? ColumnFlags.None : ColumnFlags.Mark);
        var payload = ChunkColumnsWriter.Write(
            record.AsSpan(WalRecordHeader.Size), entries, flags, new LogMark(mark));
        long at = WalRecordHeader.Size + payload;
        at += WalOperation.Write(
            record.AsSpan((int)at), entries[0].Index, default, RecordKind.LeasedPut, "apple"u8, "red"u8,
            1_700_000_000_000);
        at += WalOperation.Write(
            record.AsSpan((int)at), entries[1].Index, default, RecordKind.Tombstone, "pear"u8, default, 0);
        new WalRecordHeader
        {
            Offset = Offset,
            Length = (int)at,
            FirstIndex = entries[0].Index,
            LastIndex = entries[^1].Index,
            Term = entries[^1].Term,
            LogTimeMs = entries[^1].LogTimeMs,
            EntryCount = entries.Length,
            OperationCount = 2,
            PayloadLength = payload,
            Type = WalRecordType.Chunk,
            Flags = flags,
        }.Finish(record, Salt);
        return record[..(int)at];
    }

    private static void Reseal(Span<byte> record, byte flags)
    {
        if ((flags & SealedInput.Reseal) == 0 || record.Length < WalRecordHeader.Size) return;
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], Offset);
        if ((flags & FixLength) != 0) BinaryPrimitives.WriteInt64LittleEndian(record[16..], record.Length & ~7);
        var length = BinaryPrimitives.ReadInt64LittleEndian(record[16..]);
        if (length < 8 || length > record.Length) return;
        BinaryPrimitives.WriteUInt64LittleEndian(
            record, XxHash3.HashToUInt64(record[8..(int)length], unchecked((long)Salt)));
    }

    private static void CheckHeader(ReadOnlySpan<byte> bytes, in WalRecordHeader header)
    {
        Holds(
            header.Length <= bytes.Length && header.PayloadLength <= header.Length - WalRecordHeader.Size,
            "a payload inside the record");
        var again = bytes[..header.Length].ToArray();
        header.Finish(again, Salt);
        Holds(
            WalRecordHeader.TryRead(again, Offset, Salt, out var second, out _) && second == header,
            "the same header when sealed again");
    }

    private static ulong WalkCleanUp(ReadOnlySpan<byte> bytes, in WalRecordHeader header)
    {
        var payload = bytes.Slice(WalRecordHeader.Size, header.PayloadLength);
        var opened = CleanUpMarker.TryOpen(payload, out var marker, out var error);
        ErrorFits(opened, error, bytes.Length);
        if (!opened) return Feature.Of(error);
        var keys = new List<ReadOnlyMemory<byte>>();
        var reader = marker.Keys;
        while (reader.MoveNext()) keys.Add(reader.Current.ToArray());
        var again = new byte[CleanUpMarker.SizeOf(keys.Count, keys.Sum(key => (long)key.Length))];
        CleanUpMarker.Write(again, marker.Deadline, keys.ToArray());
        Holds(payload.SequenceEqual(again), "the same clean-up when written again");
        return Feature.Of("clean-up", Feature.Bucket(keys.Count));
    }

    private static void CheckMark(ReadOnlySpan<byte> payload)
    {
        if (!MarkMarker.TryRead(payload, out var mark, out var error))
        {
            ErrorFits(false, error, WalRecordHeader.Size + payload.Length);
            return;
        }

        var again = new byte[MarkMarker.Size];
        MarkMarker.Write(mark, again);
        Holds(payload.SequenceEqual(again), "the same mark when written again");
    }

    private static void CheckColumns(ChunkColumns columns, in WalRecordHeader header)
    {
        var entries = new List<EntryPosition>();
        var hasMark = columns.TryGetMark(out var mark);
        while (columns.MoveNext())
        {
            var entry = new EntryPosition
            {
                Index = columns.Index,
                Term = columns.Term,
                LogTimeMs = columns.LogTimeMs,
                Succeeded = columns.Succeeded,
                Refused = columns.Refused
            };
            var before = entries.Count == 0 ? default : entries[^1];
            Holds(
                entries.Count == 0 ? entry.Index == header.FirstIndex : entry.Index > before.Index,
                "indexes that ascend");
            Holds(
                entry.Term >= before.Term && entry.LogTimeMs >= before.LogTimeMs,
                "terms and times that never decrease");
            entries.Add(entry);
        }

        Holds(
            entries.Count == header.EntryCount && entries[^1].Index == header.LastIndex,
            "as many entries as the header says");
        var all = entries.ToArray();
        var flags = ChunkColumnsWriter.Needed(all) | (hasMark ? ColumnFlags.Mark : ColumnFlags.None);
        var payload = new byte[ChunkColumnsWriter.SizeMax(all.Length, flags)];
        var length = ChunkColumnsWriter.Write(payload, all, flags, mark);
        Holds(
            ChunkColumns.TryOpen(payload.AsSpan(0, length), header with { Flags = flags }, out var again, out _),
            "columns that are read when written again");
        Holds(again.TryGetMark(out var other) == hasMark && other == mark, "the same mark when written again");
        foreach (var entry in all)
            Holds(
                again.MoveNext() && (again.Index, again.Term, again.LogTimeMs, again.Succeeded, again.Refused) == (
                    entry.Index, entry.Term, entry.LogTimeMs, entry.Succeeded, entry.Refused),
                "the same columns when written again");
    }

    private static unsafe ulong WalkOperations(ReadOnlySpan<byte> record, in WalRecordHeader header)
    {
        var at = WalRecordHeader.Size + header.PayloadLength;
        for (var i = 0; i < header.OperationCount; i++)
        {
            var measured = WalOperation.TryMeasure(record[at..], out var size, out var error);
            ErrorFits(measured, error, record.Length - at);
            if (!measured) return Feature.Join(Feature.Of(error), Feature.Bucket(i));
            Holds(
                size >= WalOperation.HeaderSize && size % WalOperation.Alignment == 0 && size <= record.Length - at,
                "an operation inside its record");
            fixed (byte* start = record[at..])
            {
                var view = new WalOperationView(start);
                Holds(
                    WalOperation.SizeOf(view.KeyLength, view.ValueLength, view.Kind) == size,
                    "a view of the measured size");
                var again = new byte[size];
                WalOperation.Write(again, view.Index, view.Prior, view.Kind, view.Key, view.Value, view.Deadline);
                Holds(
                    WalOperation.TryMeasure(again, out var second, out _) && second == size,
                    "the same operation when written again");
            }

            at += size;
        }

        return Feature.Of("operations", Feature.Bucket(header.OperationCount) << 1 | (at == record.Length ? 1u : 0u));
    }
}
