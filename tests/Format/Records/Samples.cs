using System.Text.Json;
using System.Text.Json.Serialization;
using Varve.Format;

namespace Varve.Tests.Format.Records;

/// <summary>Records for tests: one fixed of each for golden files, and random ones that keep every rule.</summary>
internal static class Samples
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        IncludeFields = true,
        Converters = { new MarkText() },
    };

    public static Guid DatabaseId { get; } = new("00112233-4455-6677-8899-aabbccddeeff");

    public static TableDescriptor Table { get; } = new()
    {
        Origin = DatabaseId,
        OriginNumber = 7,
        Number = 9,
        Length = 4096,
        Hash = new UInt128(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210),
        RowCount = 100,
        TombstoneCount = 5,
        LeaseCount = 3,
        SmallestKey = "apple"u8.ToArray(),
        LargestKey = "pear"u8.ToArray(),
    };

    public static MachineState State { get; } = new()
    {
        LastIndex = 1000,
        LastTerm = 4,
        LogTimeMs = 1_700_000_000_000,
        LocalTimeMs = 1_700_000_000_500,
        LiveCount = 95,
        CountedTimeMs = 1_700_000_000_400,
        CleanedTimeMs = 1_700_000_000_300,
        HashSeed = 0x0123_4567_89AB_CDEF,
        LeaseClock = StoredLeaseClock.Log,
        Terms = [new TermRun(1, 2), new TermRun(500, 4)],
        Outcomes = [new OutcomeRun(981, 10, [0xFF, 0x02]), new OutcomeRun(993, 8, [0xA5])],
        Snapshot = (900, 4, [.. Enumerable.Range(0, 32).Select(i => (byte)i)]),
        Mark = new LogMark("outer 7"u8),
    };

    public static VersionEdit Edit { get; } = new()
    {
        Replace = true,
        NextFileNumber = 12,
        FirstSegment = 10,
        State = State,
        Removed = [3, 4],
        Added = [new AddedTable(2, Table)],
    };

    public static SnapshotManifest Manifest { get; } = new()
    {
        DatabaseId = DatabaseId,
        State = State,
        Tables = [new AddedTable(2, Table), new AddedTable(1, Table with { OriginNumber = 5, Number = 6 })],
    };

    public static string Text<T>(T record) => JsonSerializer.Serialize(record, Readable);

    public static TableDescriptor RandomTable(Random random, byte[] smallest, byte[] largest)
    {
        var rows = random.NextInt64(1, long.MaxValue);
        var tombstones = random.NextInt64(rows);
        return new TableDescriptor
        {
            Origin = RandomGuid(random),
            OriginNumber = (ulong)random.NextInt64(),
            Number = (ulong)random.NextInt64(1_000_000),
            Length = random.NextInt64(1, long.MaxValue),
            Hash = new UInt128((ulong)random.NextInt64(), (ulong)random.NextInt64()),
            RowCount = rows,
            TombstoneCount = tombstones,
            LeaseCount = random.NextInt64(rows - tombstones),
            SmallestKey = smallest,
            LargestKey = largest,
        };
    }

    public static TableDescriptor RandomTable(Random random)
    {
        byte[][] keys = [RandomKey(random), RandomKey(random)];
        Array.Sort(keys, (a, b) => a.AsSpan().SequenceCompareTo(b));
        return RandomTable(random, keys[0], keys[1]);
    }

    public static MachineState RandomState(Random random)
    {
        var (terms, index, term) = (new List<TermRun>(), 0UL, 0UL);
        for (var runs = random.Next(5); runs > 0; runs--)
        {
            index += (ulong)random.NextInt64(1, 1000);
            term += (ulong)random.Next(3);
            terms.Add(new TermRun(index, random.Next(5) == 0 ? TermRun.Unknown : term));
        }

        var (outcomes, next) = (new List<OutcomeRun>(), (ulong)random.Next(1000));
        for (var runs = random.Next(5); runs > 0; runs--)
        {
            var count = random.Next(1, 100);
            var bits = new byte[(count + 7) / 8];
            random.NextBytes(bits);
            if (count % 8 != 0) bits[^1] &= (byte)((1 << (count % 8)) - 1);
            var refused = new byte[bits.Length];
            if (random.Next(3) == 0) random.NextBytes(refused);
            if (count % 8 != 0) refused[^1] &= (byte)((1 << (count % 8)) - 1);
            for (var i = 0; i < refused.Length; i++) refused[i] &= (byte)~bits[i];
            outcomes.Add(new OutcomeRun(next, count, bits)
            {
                Refused = refused.AsSpan().ContainsAnyExcept((byte)0) ? refused : null
            });
            next += (ulong)(count + random.Next(3));
        }

        var checksum = new byte[32];
        random.NextBytes(checksum);
        var mark = new byte[random.Next(LogMark.LengthMax + 1)];
        random.NextBytes(mark);
        var last = Math.Max(index, next) + (ulong)random.Next(10);
        return new MachineState
        {
            LastIndex = last,
            LastTerm = last == 0 ? 0 : term + (ulong)random.Next(2),
            LogTimeMs = (ulong)random.NextInt64(),
            LocalTimeMs = (ulong)random.NextInt64(),
            LiveCount = random.NextInt64(),
            Mark = random.Next(2) == 0 ? default : new LogMark(mark),
            CountedTimeMs = (ulong)random.NextInt64(),
            CleanedTimeMs = (ulong)random.NextInt64(),
            HashSeed = (ulong)random.NextInt64(),
            LeaseClock = (StoredLeaseClock)random.Next(2),
            Terms = [.. terms],
            Outcomes = [.. outcomes],
            Snapshot = random.Next(2) == 0
                ? null
                : ((ulong)random.NextInt64((long)last + 1), (ulong)random.NextInt64(), checksum),
        };
    }

    public static VersionEdit RandomEdit(Random random) => new()
    {
        Replace = random.Next(2) == 0,
        NextFileNumber = (ulong)random.NextInt64(1_000_000, long.MaxValue),
        FirstSegment = (ulong)random.NextInt64(),
        State = random.Next(2) == 0 ? null : RandomState(random),
        Removed = [.. Enumerable.Range(0, random.Next(5)).Select(_ => (ulong)random.NextInt64()).Distinct()],
        Added = [.. Enumerable.Range(0, random.Next(5))
            .Select(_ => new AddedTable((ulong)random.NextInt64(), RandomTable(random)))
            .DistinctBy(added => added.Table.Number)],
    };

    /// <summary>Runs from the newest down, each of tables side by side.</summary>
    public static SnapshotManifest RandomManifest(Random random)
    {
        var tables = new List<AddedTable>();
        for (var order = random.Next(4); order > 0; order--)
        {
            byte[][] keys = [.. Enumerable.Range(0, 2 * random.Next(1, 4)).Select(_ => RandomKey(random))
                .DistinctBy(Convert.ToHexString)];
            Array.Sort(keys, (a, b) => a.AsSpan().SequenceCompareTo(b));
            for (var i = 0; i + 1 < keys.Length; i += 2)
                tables.Add(new AddedTable((ulong)order, RandomTable(random, keys[i], keys[i + 1])));
        }

        return new SnapshotManifest
        {
            DatabaseId = RandomGuid(random),
            State = RandomState(random),
            Tables = [.. tables]
        };
    }

    public static byte[] RandomKey(Random random)
    {
        var key = new byte[random.Next(20) == 0 ? TableDescriptor.BoundBytesMax : random.Next(1, 30)];
        random.NextBytes(key);
        return key;
    }

    private static Guid RandomGuid(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes);
    }

    private sealed class MarkText : JsonConverter<LogMark>
    {
        public override LogMark Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
            throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, LogMark value, JsonSerializerOptions options) =>
            writer.WriteStringValue(Convert.ToHexString(value.Bytes));
    }
}
