using Varve.Background;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Wal;

/// <summary>A segment's earlier lives, its copies and its ghosts never speak for the log.</summary>
public sealed class RecycledSegmentTests : IDisposable
{
    /// <summary>Segments are kept to be used again, after a compaction too.</summary>
    private static readonly EngineOptions Keeping = Database.Small with { IdleAfter = Timeout.InfiniteTimeSpan };

    private readonly Database _database = new();

    public void Dispose() => _database.Dispose();

    [Fact]
    public async Task StaleBytesOfRecycledSegmentAreNeverAccepted()
    {
        var storage = new FaultInjector(Storages.Default);
        for (var life = 1; life <= 4; life++)
        {
            using (var machine = _database.Open(Keeping, new EngineSeams(storage)))
            {
                NumberedLog.AssertIsWhole(machine);
                for (var round = 0; round < 4; round++)
                {
                    NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 700);
                    await machine.CompactAsync();
                    NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 13, perChunk: 13);
                }

                using var copy = storage.WhileStill(_database.Copy);
                using var recovered = copy.Open();
                Assert.Equal(machine.LastApplied.Index, NumberedLog.AssertIsWhole(recovered));
            }
        }
    }

    [Fact]
    public async Task SnapshotIgnoresEarlierContentOfSealedSegment()
    {
        var storage = new FaultInjector(Storages.Default);
        using var machine = _database.Open(Keeping, new EngineSeams(storage));
        var index = 0UL;
        // Equal chunks make records begin at the same places in every life of a segment; each life ends earlier than
        // the one before.
        for (var life = 0; life < 6; life++)
        {
            Fill(machine, ref index, chunks: 60 - (life * 8));
            await machine.CompactAsync();
        }

        using var parked = new ManualResetEventSlim();
        storage.Before = (operation, path) =>
        {
            if (operation == "create" && path.Contains(_database.Directory, StringComparison.Ordinal)
                && path.Contains(FileNames.TableSuffix, StringComparison.Ordinal))
                parked.Wait();
        };
        Fill(machine, ref index, chunks: 5);
        var compaction = machine.CompactAsync();
        Fill(machine, ref index, chunks: 1);
        var live = machine.Count;
        var target = Path.Combine(_database.Root, "snapshot");
        var checksum = await machine.GenerateSnapshotDataAsync(target, machine.LastApplied);
        var at = machine.LastApplied;
        parked.Set();
        await compaction;

        using var other = LsmStateMachine.Open(Path.Combine(_database.Root, "other"), Database.Small);
        await other.ApplySnapshotFromFileAsync(new SnapshotMetadata(at, checksum), target);
        Assert.Equal(live, other.ScanPrefix([]).Entries.Count);
        Assert.Equal(live, other.Count);
    }

    [Fact]
    public async Task CleanEndInRecycledSegmentIsNoTornTail()
    {
        var storage = new FaultInjector(Storages.Default);
        using var machine = _database.Open(Keeping, new EngineSeams(storage));
        var index = 0UL;
        for (var life = 0; life < 4; life++)
        {
            // Equal chunks: records begin at the same places in every life.
            Fill(machine, ref index, chunks: 60 - (life * 8));
            await machine.CompactAsync();
        }

        Fill(machine, ref index, chunks: 5);
        using var copy = storage.WhileStill(_database.Copy);
        using var recovered = copy.Open();
        Assert.Equal(index, recovered.LastApplied.Index);
        Assert.Equal(0, recovered.GetStatistics().TornTailBytes);
    }

    [Fact]
    public void SegmentUnderAnotherSegmentsNameIsRefused()
    {
        using (var machine = _database.Open()) NumberedLog.ApplyUpTo(machine, 50);
        var copy = _database.PathOf(FileNames.Segment(90));
        File.Copy(_database.LastSegment(), copy);
        Assert.Equal(copy, Assert.Throws<CorruptionException>(() => _database.Open().Dispose()).Path);
    }

    [Fact]
    public void SegmentOfAnotherDatabaseIsRefused()
    {
        using var other = new Database();
        using (var machine = _database.Open()) NumberedLog.ApplyUpTo(machine, 50);
        using (var machine = other.Open()) NumberedLog.ApplyUpTo(machine, 20);
        var path = _database.LastSegment();
        File.Copy(other.LastSegment(), path, overwrite: true);
        Assert.Equal(path, Assert.Throws<CorruptionException>(() => _database.Open().Dispose()).Path);
    }

    [Fact]
    public async Task ResurrectedOldSegmentsAreIgnored()
    {
        var ghosts = new Dictionary<string, byte[]>();
        using (var machine = _database.Open(Keeping))
        {
            for (var round = 0; round < 3; round++)
            {
                NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 500);
                foreach (var path in _database.Files(FileNames.SegmentSuffix)) Remember(path);
                await machine.CompactAsync();
            }
        }

        var alive = _database.Files(FileNames.SegmentSuffix);
        string[] dead = [.. ghosts.Keys.Except(alive)];
        Assert.NotEmpty(dead);
        foreach (var path in dead) File.WriteAllBytes(path, ghosts[path]);
        using (var machine = _database.Open()) Assert.Equal(1500UL, NumberedLog.AssertIsWhole(machine));
        Assert.Empty(_database.Files(FileNames.SegmentSuffix).Intersect(dead));

        void Remember(string path)
        {
            try
            {
                ghosts[path] = File.ReadAllBytes(path);
            }
            catch (FileNotFoundException)
            {
                // Recycled under another name since it was listed.
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ChunkLargerThanSegmentIsAllOrNothing(bool torn)
    {
        var value = new byte[300_000];
        Array.Fill(value, (byte)0xA5);
        using (var machine = _database.Open())
        {
            NumberedLog.ApplyUpTo(machine, 30);
            var results = new ApplyResult[2];
            machine.ApplyChunk([new ApplyEntry(31, 1, Command.Insert("big"u8.ToArray(), value)), new ApplyEntry(
                32, 1, Command.Insert("too"u8.ToArray(), value))], results);
        }

        if (torn)
        {
            _database.DropCloseMarker();
            var path = _database.LastSegment();
            Assert.True(new FileInfo(path).Length > 600_000);
            Database.Flip(path, 500_000);
        }

        for (var recovery = 0; recovery < 2; recovery++)
        {
            using var machine = _database.Open();
            Assert.Equal(torn ? 30UL : 32UL, machine.LastApplied.Index);
            Assert.Equal(torn ? null : value, machine.Get("big"u8));
            Assert.Equal(torn ? null : value, machine.Get("too"u8));
            if (torn) NumberedLog.AssertIsWhole(machine);
        }
    }

    private static void Fill(LsmStateMachine machine, ref ulong index, int chunks)
    {
        var results = new ApplyResult[4];
        for (var chunk = 0; chunk < chunks; chunk++)
        {
            var entries = new ApplyEntry[4];
            for (var i = 0; i < entries.Length; i++)
                entries[i] = new ApplyEntry(
                    ++index, 1, Command.Insert(System.Text.Encoding.ASCII.GetBytes($"{index:D8}"), new byte[100]));
            machine.ApplyChunk(entries, results);
        }
    }
}
