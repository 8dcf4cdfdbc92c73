using Varve.Format;

namespace Varve.Tests.Format.Wal;

/// <summary>One fixed record of each type, and random chunk columns.</summary>
internal static class WalSamples
{
    public const ulong Salt = 0x1122_3344_5566_7788;
    public const long Offset = 4096;

    public static WalSegmentHeader Segment { get; } = new(Records.Samples.DatabaseId, 7, Salt, 1 << 20);

    /// <summary>Three entries with a gap, two terms and rising timestamps; their effects are of every kind.</summary>
    public static EntryPosition[] Entries { get; } =
    [
        new() { Index = 1000, Term = 4, LogTimeMs = 1_700_000_000_000, Succeeded = true },
        new() { Index = 1001, Term = 4, LogTimeMs = 1_700_000_000_000, Succeeded = true },
        new() { Index = 1003, Term = 5, LogTimeMs = 1_700_000_000_200, Succeeded = true },
        new() { Index = 1304, Term = 5, LogTimeMs = 1_700_000_000_200, Succeeded = false },
    ];

    public static byte[] ChunkRecord()
    {
        var flags = ChunkColumnsWriter.Needed(Entries) | ColumnFlags.Mark;
        var record = new byte[1024];
        var mark = new LogMark("mark"u8);
        var columns = ChunkColumnsWriter.Write(record.AsSpan(WalRecordHeader.Size), Entries, flags, mark);
        var length = WalRecordHeader.Size + columns;
        length += (int)WalOperation.Write(record.AsSpan(length), 1000, default, RecordKind.Put, "key"u8, "value"u8, 0);
        length += (int)WalOperation.Write(
            record.AsSpan(length), 1001, default, RecordKind.LeasedPut, "lease"u8, "v"u8, 1_700_000_060_000);
        length += (int)WalOperation.Write(
            record.AsSpan(length), 1003, new OperationRef(527), RecordKind.Tombstone, "key"u8, [], 0);
        record = record[..length];
        Header(WalRecordType.Chunk, length, columns).Finish(record, Salt);
        return record;

        static WalRecordHeader Header(WalRecordType type, int length, int columns) => new()
        {
            Offset = Offset,
            Length = length,
            SyncedSegment = 6,
            SyncedOffset = 8192,
            FirstIndex = 1000,
            LastIndex = 1304,
            Term = 5,
            LogTimeMs = 1_700_000_000_200,
            LocalTimeMs = 1_700_000_000_500,
            EntryCount = 4,
            OperationCount = 3,
            PayloadLength = columns,
            Type = type,
            Flags = ColumnFlags.Indexes | ColumnFlags.Terms | ColumnFlags.Times | ColumnFlags.Mark,
        };
    }

    public static byte[] Marker(WalRecordType type, ReadOnlySpan<byte> payload)
    {
        var record = new byte[WalRecordHeader.Size + payload.Length];
        payload.CopyTo(record.AsSpan(WalRecordHeader.Size));
        new WalRecordHeader
        {
            Offset = Offset,
            Length = record.Length,
            SyncedSegment = 6,
            SyncedOffset = 8192,
            FirstIndex = 999,
            LastIndex = 999,
            Term = 4,
            LogTimeMs = 1_700_000_000_000,
            LocalTimeMs = 1_700_000_000_500,
            PayloadLength = payload.Length,
            Type = type,
        }.Finish(record, Salt);
        return record;
    }

    public static byte[] CleanUp(ulong deadline, params string[] names)
    {
        ReadOnlyMemory<byte>[] keys =
            [.. names.Select(name => (ReadOnlyMemory<byte>)System.Text.Encoding.UTF8.GetBytes(name))];
        var payload = new byte[CleanUpMarker.SizeOf(keys.Length, keys.Sum(key => (long)key.Length))];
        CleanUpMarker.Write(payload, deadline, keys);
        return payload;
    }

    public static byte[] MarkPayload(ReadOnlySpan<byte> mark)
    {
        var payload = new byte[MarkMarker.Size];
        MarkMarker.Write(new LogMark(mark), payload);
        return payload;
    }

    public static byte[] Words(params ReadOnlySpan<ulong> words)
    {
        var bytes = new byte[words.Length * sizeof(ulong)];
        for (var i = 0; i < words.Length; i++) BitConverter.TryWriteBytes(bytes.AsSpan(i * sizeof(ulong)), words[i]);
        return bytes;
    }

    public static EntryPosition[] RandomEntries(Random random)
    {
        var entries = new EntryPosition[random.Next(1, 200)];
        var (gaps, terms, times, refusals) =
            (random.Next(2) == 0, random.Next(2) == 0, random.Next(2) == 0, random.Next(2) == 0);
        var position = new EntryPosition { Index = Wide(random), Term = Wide(random), LogTimeMs = Wide(random) };
        for (var i = 0; i < entries.Length; i++)
        {
            if (i > 0) position.Index += gaps && random.Next(4) == 0 ? 1 + Wide(random) : 1;
            if (terms && random.Next(4) == 0) position.Term += Wide(random);
            if (times && random.Next(2) == 0) position.LogTimeMs += Wide(random);
            position.Refused = refusals && random.Next(8) == 0;
            position.Succeeded = !position.Refused && random.Next(2) == 0;
            entries[i] = position;
        }

        return entries;
    }

    /// <summary>The header that goes with entries, as far as columns are concerned.</summary>
    public static WalRecordHeader HeaderOf(EntryPosition[] entries, ColumnFlags flags, int payload) => new()
    {
        FirstIndex = entries[0].Index,
        LastIndex = entries[^1].Index,
        Term = entries[^1].Term,
        LogTimeMs = entries[^1].LogTimeMs,
        EntryCount = entries.Length,
        PayloadLength = payload,
        Type = WalRecordType.Chunk,
        Flags = flags,
    };

    /// <summary>Numbers of every length as a varint, small enough that two hundred of them do not overflow.</summary>
    private static ulong Wide(Random random) => (ulong)random.NextInt64() >> random.Next(8, 63);
}
