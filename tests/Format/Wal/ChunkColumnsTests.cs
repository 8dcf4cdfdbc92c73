using FsCheck.Xunit;
using Varve.Format;

namespace Varve.Tests.Format.Wal;

/// <summary>Columns return each entry as it was written; columns that disagree with their record are refused.</summary>
[Properties(Arbitrary = [typeof(Seeds)], MaxTest = 1_000)]
public class ChunkColumnsTests
{
    [Property]
    public void EntriesRoundTrip(Seed seed)
    {
        var entries = WalSamples.RandomEntries(seed.NewRandom());
        var (payload, header) = Write(entries);
        Assert.Equal(entries, Read(payload, header));
        Assert.Null(MarkOf(payload, header));
    }

    [Property]
    public void MarksRoundTrip(Seed seed)
    {
        var random = seed.NewRandom();
        var entries = WalSamples.RandomEntries(random);
        var mark = new byte[random.Next(65)];
        random.NextBytes(mark);
        var (payload, header) = Write(entries, mark);
        Assert.Equal(entries, Read(payload, header));
        Assert.Equal(mark, MarkOf(payload, header));
    }

    [Fact]
    public void MarksThatDoNotFitAreRefused()
    {
        EntryPosition[] entries = [new EntryPosition { Index = 10, Term = 2, Succeeded = true }];
        var (payload, header) = Write(entries, new byte[64]);
        Assert.Equal((72, 64), (payload.Length, payload[1]));
        payload[1] = 65;
        Assert.False(ChunkColumns.TryOpen(payload, header, out _, out _));
        Assert.False(ChunkColumns.TryOpen(payload.AsSpan(0, 64), header, out _, out _));
        Assert.False(ChunkColumns.TryOpen(payload.AsSpan(0, 1), header, out _, out _));
    }

    [Property]
    public void ColumnsStayWithinBound(Seed seed)
    {
        var entries = WalSamples.RandomEntries(seed.NewRandom());
        var (payload, header) = Write(entries, seed.NewRandom().Next(2) == 0 ? null : new byte[64]);
        Assert.Equal(0, payload.Length % 8);
        Assert.InRange(payload.Length, 8, ChunkColumnsWriter.SizeMax(entries.Length, header.Flags));
    }

    [Fact]
    public void PlainEntriesCostOneBitEach()
    {
        EntryPosition[] entries = [.. Enumerable.Range(0, 64).Select(
            i => new EntryPosition { Index = 10 + (ulong)i, Term = 2, Succeeded = i % 3 == 0 })];
        var (payload, header) = Write(entries);
        Assert.Equal((ColumnFlags.None, 8), (header.Flags, payload.Length));
        Assert.Equal(entries, Read(payload, header));
    }

    [Property]
    public void DamageNeverReadsPastRecord(Seed seed)
    {
        var random = seed.NewRandom();
        var entries = WalSamples.RandomEntries(random);
        var (payload, header) = Write(entries, random.Next(2) == 0 ? null : new byte[random.Next(65)]);
        for (var edits = random.Next(1, 5); edits > 0; edits--)
            payload[random.Next(payload.Length)] = (byte)random.Next(256);
        if (!ChunkColumns.TryOpen(payload, header, out var columns, out var error))
        {
            Assert.True(error.IsFault);
            return;
        }

        var last = default(EntryPosition);
        while (columns.MoveNext())
            last = new EntryPosition { Index = columns.Index, Term = columns.Term, LogTimeMs = columns.LogTimeMs };
        Assert.Equal((header.LastIndex, header.Term, header.LogTimeMs), (last.Index, last.Term, last.LogTimeMs));
    }

    [Fact]
    public void RefusedEntriesHaveTheirOwnBits()
    {
        EntryPosition[] entries = [.. Enumerable.Range(0, 20).Select(
            i => new EntryPosition { Index = 10 + (ulong)i, Term = 2, Succeeded = i % 3 == 0, Refused = i % 3 == 1 })];
        var (payload, header) = Write(entries);
        Assert.Equal((ColumnFlags.Refused, 8), (header.Flags, payload.Length));
        Assert.Equal(entries, Read(payload, header));
        // One that also succeeded; none; an unused bit.
        AssertIsNone(3, 0x01);
        AssertIsNone(3, 0x00, 4, 0x00, 5, 0x00);
        AssertIsNone(5, 0x12);

        void AssertIsNone(params ReadOnlySpan<byte> edits)
        {
            var broken = payload.ToArray();
            for (var i = 0; i < edits.Length; i += 2) broken[edits[i]] = edits[i + 1];
            Assert.False(ChunkColumns.TryOpen(broken, header, out _, out var error));
            Assert.True(error.IsFault);
        }
    }

    [Property(MaxTest = 2_000)]
    public void AnyBytesAreHandled(byte[] payload, byte flags, ushort count)
    {
        var header = new WalRecordHeader
        {
            EntryCount = count % 50 + 1,
            Flags = (ColumnFlags)flags & ColumnFlags.All,
            LastIndex = 7
        };
        if (!ChunkColumns.TryOpen(payload, header, out _, out var error)) Assert.True(error.IsFault);
    }

    [Fact]
    public void ColumnsThatDisagreeWithTheirRecordAreRefused()
    {
        var (payload, header) = Write(WalSamples.Entries);
        Assert.True(ChunkColumns.TryOpen(payload, header, out _, out _));
        Assert.False(ChunkColumns.TryOpen(payload, header with { LastIndex = 1305 }, out _, out _));
        Assert.False(ChunkColumns.TryOpen(payload, header with { FirstIndex = 999 }, out _, out _));
        Assert.False(ChunkColumns.TryOpen(payload, header with { Term = 6 }, out _, out _));
        Assert.False(ChunkColumns.TryOpen(payload, header with { LogTimeMs = 1 }, out _, out _));
        Assert.False(ChunkColumns.TryOpen([.. payload, .. new byte[8]], header, out _, out _));
        for (var length = 0; length < payload.Length - 5; length++)
            Assert.False(ChunkColumns.TryOpen(payload.AsSpan(0, length), header, out _, out _));
    }

    private static byte[]? MarkOf(byte[] payload, WalRecordHeader header)
    {
        Assert.True(ChunkColumns.TryOpen(payload, header, out var columns, out var error), error.Reason);
        return columns.TryGetMark(out var mark) ? mark.Bytes.ToArray() : null;
    }

    private static (byte[] Payload, WalRecordHeader Header) Write(EntryPosition[] entries, byte[]? mark = null)
    {
        var flags = ChunkColumnsWriter.Needed(entries) | (mark is null ? ColumnFlags.None : ColumnFlags.Mark);
        var bytes = new byte[ChunkColumnsWriter.SizeMax(entries.Length, flags)];
        var length = ChunkColumnsWriter.Write(bytes, entries, flags, new LogMark(mark));
        return (bytes[..length], WalSamples.HeaderOf(entries, flags, length));
    }

    private static List<EntryPosition> Read(byte[] payload, WalRecordHeader header)
    {
        Assert.True(ChunkColumns.TryOpen(payload, header, out var columns, out var error), error.Reason);
        var read = new List<EntryPosition>();
        while (columns.MoveNext())
            read.Add(new EntryPosition
            {
                Index = columns.Index,
                Term = columns.Term,
                LogTimeMs = columns.LogTimeMs,
                Succeeded = columns.Succeeded,
                Refused = columns.Refused
            });
        return read;
    }
}
