using System.Buffers.Binary;
using System.Diagnostics;
using Varve.Format;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Varve.Tests.Shared.Disk;
using Varve.Wal;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Engine.Wal;

/// <summary>
/// A client fills its values with what looks like records of the log: looking for the real ones after a crash stays
/// about linear.
/// </summary>
public sealed class HostileTailTests(ITestOutputHelper output)
{
    private const ulong Salt = 77;
    private const int Times = 32;

    [Theory]
    [InlineData(1 << 20, 96)]
    [InlineData(16 << 20, 96)]
    [InlineData(64 << 20, 96)]
    [InlineData(16 << 20, 32)]
    public void HeadersReachingToEndAreHashedBoundedly(int length, int step)
    {
        using var segment = Segment(
            length, bytes => Forge(bytes, WalSegmentHeader.Size, step, offset => length - offset));
        Assert.True(Candidates(segment) > length / step / 2);
        Assert.InRange(Scan(segment).HashedBytes, 1, (long)Times * length);
    }

    [Fact]
    public void WordsReadAsOffsetAndLengthAreHashedBoundedly()
    {
        const int length = 4 << 20;
        using var segment = Segment(length, bytes =>
        {
            for (var at = WalSegmentHeader.Size + 8; at + 8 <= length; at += 8)
                BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), at - 8);
        });
        Assert.InRange(Scan(segment).HashedBytes, 0, (long)Times * length);
    }

    [Theory]
    [InlineData(96)]
    [InlineData(32)]
    public void ShortRecordIsFoundAmongAnyBytes(int step)
    {
        const int length = 16 << 20;
        var at = length - 1000 & ~7;
        using var segment = Segment(length, bytes =>
        {
            Forge(bytes, WalSegmentHeader.Size, step, offset => Math.Min(760, length - offset) & ~7);
            Forge(bytes, WalSegmentHeader.Size + 48, 4096, offset => length - offset);
            Seal(bytes, at, 96, Salt);
        });
        var scan = Scan(segment);
        Assert.Equal((at + 96, new LogOffset(7, at)), (scan.End, scan.Synced));
        Assert.InRange(scan.HashedBytes, 1, (long)Times * length);
    }

    [Theory]
    [InlineData(96)]
    [InlineData(4096)]
    [InlineData(1 << 20)]
    [InlineData(7 << 20)]
    public void RecordOfAnyLengthIsFoundWithoutForgery(int size)
    {
        const int length = 8 << 20;
        const int at = WalSegmentHeader.Size + 1000;
        using var segment = Segment(length, bytes =>
        {
            new Random(3).NextBytes(bytes);
            Seal(bytes, at, size, Salt);
        });
        Assert.Equal(at + size, Scan(segment).End);
    }

    [Fact]
    public void TornTailFullOfHeadersOpens()
    {
        using var database = new Database();
        var options = Database.Small with { MemtableBytes = 4 << 20 };
        using (var machine = database.Open(options))
        {
            NumberedLog.ApplyUpTo(machine, 20, perChunk: 10);
            var records = Database.Records(database.LastSegment());
            var at = (int)(records[^1].Offset + records[^1].Length);
            var value = new byte[3 << 20];
            // The value's offset: after header, outcomes, the operation's header and a key of four bytes.
            var first = at + WalRecordHeader.Size + 8 + WalOperation.HeaderSize + 4;
            Assert.Equal(0, first % 8);
            var image = new byte[first + value.Length];
            Forge(image, first, 96, offset => (4 << 20) - offset);
            image.AsSpan(first).CopyTo(value);
            machine.ApplyChunk([new ApplyEntry(21, 1, Command.Insert("key!"u8.ToArray(), value))], new ApplyResult[1]);
        }

        database.DropCloseMarker();
        var torn = Database.Records(database.LastSegment())[^1];
        Database.Zero(database.LastSegment(), torn.Offset, WalRecordHeader.Size);
        using var opened = database.Open(options);
        Assert.Equal(20UL, NumberedLog.AssertIsWhole(opened));
    }

    private TailScan Scan(WalSegment segment)
    {
        var began = Stopwatch.GetTimestamp();
        var scan = new TailScan(segment);
        scan.Run(WalSegmentHeader.Size);
        output.WriteLine(
            $"{segment.Length >> 20} MiB: {scan.HashedBytes / (double)segment.Length:F1} times the segment hashed, "
                + $"{Stopwatch.GetElapsedTime(began).TotalMilliseconds:F0} ms");
        return scan;
    }

    private static int Candidates(WalSegment segment)
    {
        var count = 0;
        for (long offset = WalSegmentHeader.Size; offset + WalRecordHeader.Size <= segment.Length; offset += 8)
            if (WalRecordHeader.MayBeAt(segment.From(offset), offset, out _)) count++;
        return count;
    }

    /// <summary>Headers without a checksum, but right in all that can be seen.</summary>
    private static void Forge(byte[] bytes, int from, int step, Func<int, int> lengthAt)
    {
        for (var at = from; at + WalRecordHeader.Size <= bytes.Length; at += step)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + 8), at);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + 16), lengthAt(at));
            bytes[at + 92] = (byte)WalRecordType.Advance;
            bytes[at + 93] = bytes[at + 94] = bytes[at + 95] = 0;
        }
    }

    private static void Seal(byte[] bytes, int at, int length, ulong salt) => new WalRecordHeader
    {
        Offset = at,
        Length = length,
        SyncedSegment = 7,
        SyncedOffset = at,
        FirstIndex = 1,
        LastIndex = 1,
        EntryCount = 1,
        PayloadLength = (length - WalRecordHeader.Size) & ~7,
        Type = length == WalRecordHeader.Size ? WalRecordType.Advance : WalRecordType.Chunk,
    }.AsOf(length).Finish(bytes.AsSpan(at), salt);

    private static WalSegment Segment(int length, Action<byte[]> fill)
    {
        var bytes = new byte[length];
        fill(bytes);
        var storage = new SimFs { Mappings = SimMappings.Copies, ["/s"] = bytes };
        using var file = storage.Open("/s", FileIntent.Read);
        return new WalSegment(
            new WalSegmentHeader(Guid.Empty, 7, Salt, length), "s", null, file.Map(length, MappingAccess.Segment));
    }
}

file static class Records
{
    /// <summary>A record without anything in it is no chunk.</summary>
    public static WalRecordHeader AsOf(this WalRecordHeader header, int length) =>
        length == WalRecordHeader.Size ? header with { EntryCount = 0 } : header;
}
