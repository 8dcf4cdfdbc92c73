using Varve.Format;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Wal;

/// <summary>
/// An unsynced tail may be lost and is dropped whole; a durable record may not, and its loss is reported.
/// </summary>
public sealed class TornTailTests : IDisposable
{
    private static readonly EngineOptions Power = Database.Small with { Durability = Durability.Power };
    private readonly Database _database = new();

    public void Dispose() => _database.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(50)]
    [InlineData(97)]
    [InlineData(200)]
    public void TornTailIsDroppedAndCounted(int at)
    {
        var (path, last) = Written(chunks: 10);
        Database.Flip(path, last.Offset + at);
        AssertPrefixOf(90, torn: true);
    }

    [Fact]
    public void TailThatNeverReachedDiskIsAbsent()
    {
        var (path, last) = Written(chunks: 10);
        Database.Zero(path, last.Offset, last.Length);
        AssertPrefixOf(90, torn: false);
    }

    [Fact]
    public void RecordWithFailedEntriesSurvivesKill()
    {
        var key = "key"u8.ToArray();
        using var machine = _database.Open();
        var results = new ApplyResult[3];
        machine.ApplyChunk(
            [
                new ApplyEntry(1, 1, Command.CompareAndSwap(key, "none"u8.ToArray(), "a"u8.ToArray())),
                new ApplyEntry(2, 1, Command.Insert(key, "b"u8.ToArray())),
                new ApplyEntry(3, 1, Command.CompareAndSwap(key, null, "c"u8.ToArray())),
            ],
            results);
        Assert.Equal([false, true, false], results.Select(result => result.Succeeded));
        using var killed = _database.Copy();
        using var reopened = killed.Open();
        Assert.Equal(new LogId(3, 1), reopened.LastApplied);
        Assert.Equal("b"u8.ToArray(), reopened.Get(key));
    }

    [Fact]
    public void TailWithOnlyFirstSectorIsDropped()
    {
        var (path, last) = Written(chunks: 10);
        Database.Zero(path, last.Offset + 104, last.Length - 104);
        AssertPrefixOf(90, torn: true);
    }

    [Fact]
    public void UnsyncedRecordsAfterDamagedOneAreDroppedForGood()
    {
        var (path, _) = Written(chunks: 10);
        var damaged = Database.Records(path)[^4];
        Database.Flip(path, damaged.Offset + 40);
        AssertPrefixOf(60, torn: true);
        using var machine = _database.Open();
        Assert.True(NumberedLog.AssertIsWhole(machine) > 60);
    }

    [Fact]
    public void DamagedRecordBeforeSyncedOneIsCorruption()
    {
        using (var machine = _database.Open())
        {
            NumberedLog.ApplyUpTo(machine, 50, perChunk: 10);
            machine.Flush();
            NumberedLog.ApplyUpTo(machine, 60, perChunk: 10);
        }

        var path = _database.LastSegment();
        var records = Database.Records(path);
        Assert.True(records[^1].SyncedOffset >= records[^2].Offset + records[^2].Length);
        Database.Flip(path, records[2].Offset + 33);
        AssertCorruptAt(path, records[2].Offset);
    }

    [Fact]
    public void PowerRefusesFlippedBitInAnyRecordButLast()
    {
        using (var machine = _database.Open(Power)) NumberedLog.ApplyUpTo(machine, 24, perChunk: 4);
        var path = _database.LastSegment();
        var records = Database.Records(path);
        Assert.True(records.Count >= 6);
        foreach (var record in records.SkipLast(1))
        {
            for (var at = 0; at < record.Length; at += 11)
            {
                Database.Flip(path, record.Offset + at, at % 8);
                AssertCorruptAt(path, record.Offset);
                Database.Flip(path, record.Offset + at, at % 8);
            }
        }

        using var intact = _database.Open(Power);
        Assert.Equal(24UL, NumberedLog.AssertIsWhole(intact));
    }

    [Fact]
    public void FlippedBitInSegmentHeaderRefusesOpen()
    {
        var (path, _) = Written(chunks: 2);
        for (var bit = 0; bit < 64 * 8; bit += 3)
        {
            Database.Flip(path, bit / 8, bit % 8);
            Assert.Equal(path, Assert.Throws<CorruptionException>(() => _database.Open().Dispose()).Path);
            Database.Flip(path, bit / 8, bit % 8);
        }
    }

    [Fact]
    public void ValueContainingLogRecordsIsHarmless()
    {
        byte[] stolen;
        WalRecordHeader[] records;
        // The first segment takes the value too.
        using (var machine = _database.Open(Database.Small with { MemtableBytes = 16 << 20 }))
        {
            NumberedLog.ApplyUpTo(machine, 20, perChunk: 10);
            var path = _database.LastSegment();
            records = [.. Database.Records(path)];
            var end = (int)(records[^1].Offset + records[^1].Length);
            stolen = File.ReadAllBytes(path)[(int)records[0].Offset..end];

            // The same record again, sealed for each place that it may come to lie at, by somebody who does not know
            // the salt.
            var value = new byte[16 << 10];
            for (var at = 0; at + records[0].Length + 8 <= value.Length; at += records[0].Length + 8)
            {
                var offset = (end + WalRecordHeader.Size + 8 + 24 + at + 7) & ~7;
                (records[0] with { Offset = offset, SyncedSegment = ulong.MaxValue }).Finish(value.AsSpan(at), salt: 0);
            }

            stolen.CopyTo(value, 8 << 10);
            var results = new ApplyResult[1];
            machine.ApplyChunk([new ApplyEntry(21, 1, Command.Insert("key!"u8.ToArray(), value))], results);
        }

        _database.DropCloseMarker();
        var torn = Database.Records(_database.LastSegment())[^1];
        Assert.Equal(records[^1].Offset + records[^1].Length, torn.Offset); // the value lies where its records say
        Database.Flip(_database.LastSegment(), torn.Offset + 3);
        AssertPrefixOf(20, torn: true);
    }

    private (string Path, WalRecordHeader Last) Written(int chunks)
    {
        using (var machine = _database.Open()) NumberedLog.ApplyUpTo(machine, (ulong)chunks * 10, perChunk: 10);
        _database.DropCloseMarker();
        var path = _database.LastSegment();
        return (path, Database.Records(path)[^1]);
    }

    /// <summary>
    /// Asserts that the state is exactly the prefix, that a second recovery finds the same, that the log continues, and
    /// that dropped records stay dropped.
    /// </summary>
    private void AssertPrefixOf(ulong index, bool torn)
    {
        using (var copy = _database.Copy())
        {
            for (var recovery = 0; recovery < 2; recovery++)
            {
                using var machine = copy.Open();
                Assert.Equal(index, NumberedLog.AssertIsWhole(machine));
                if (recovery == 0) Assert.Equal(torn, machine.GetStatistics().TornTailBytes > 0);
                else Assert.Equal(0, machine.GetStatistics().TornTailBytes);
            }
        }

        using (var machine = _database.Open())
        {
            Assert.Equal(torn, machine.GetStatistics().TornTailBytes > 0);
            NumberedLog.ApplyUpTo(machine, index + 7);
        }

        using var again = _database.Open();
        Assert.Equal(index + 7, NumberedLog.AssertIsWhole(again));
    }

    private void AssertCorruptAt(string path, long offset)
    {
        var failure = Assert.Throws<CorruptionException>(() => _database.Open().Dispose());
        Assert.Equal((path, offset), (failure.Path, failure.Offset));
    }
}
