using Varve.Format;
using Varve.Storage;
using Varve.Versions;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// The secret that a database's key hashes are made with: random, for life, and the snapshot's after an install.
/// </summary>
public sealed class HashSeedTests : IDisposable
{
    private readonly Database _database = new();
    private readonly Database _other = new();

    public void Dispose()
    {
        _database.Dispose();
        _other.Dispose();
    }

    [Fact]
    public async Task DatabaseKeepsItsOwnSeed()
    {
        await Fill(_database);
        await Fill(_other);
        var seed = StateOf(_database).HashSeed;
        Assert.NotEqual(StateOf(_other).HashSeed, seed);
        using (var machine = _database.Open()) NumberedLog.AssertIsWhole(machine);
        Assert.Equal(seed, StateOf(_database).HashSeed);
        Assert.All(TableSeeds(_database), table => Assert.Equal(seed, table));
    }

    [Theory]
    [InlineData(LeaseClock.Local)]
    [InlineData(LeaseClock.Log)]
    public async Task ResetKeepsSeedAndClock(LeaseClock clock)
    {
        var options = Database.Small with { LeaseClock = clock };
        await Fill(_database, options);
        var seed = StateOf(_database).HashSeed;
        using (var machine = _database.Open(options)) await machine.ResetAsync();
        Assert.Equal(seed, StateOf(_database).HashSeed);
        Assert.Equal((StoredLeaseClock)clock, StateOf(_database).LeaseClock);
    }

    [Fact]
    public async Task InstallAdoptsSnapshotSeed()
    {
        await Fill(_database);
        await Fill(_other);
        var path = Path.Combine(_database.Root, "snapshot");
        using (var machine = _database.Open())
        {
            var checksum = await machine.GenerateSnapshotDataAsync(path, machine.LastApplied);
            using var receiver = _other.Open();
            await receiver.ApplySnapshotFromFileAsync(new SnapshotMetadata(machine.LastApplied, checksum), path);
            NumberedLog.ApplyUpTo(receiver, 900);
            await receiver.CompactAsync();
            NumberedLog.AssertIsWhole(receiver);
        }

        Assert.Equal(StateOf(_database).HashSeed, StateOf(_other).HashSeed);
        Assert.All(TableSeeds(_other), table => Assert.Equal(StateOf(_database).HashSeed, table));
        using var again = _other.Open();
        Assert.Equal(900UL, NumberedLog.AssertIsWhole(again));
    }

    /// <summary>Filters of another seed would deny keys that are there.</summary>
    [Fact]
    public async Task TableOfOtherSeedIsCorruption()
    {
        await Fill(_database);
        var path = _database.Files(FileNames.ManifestSuffix)[0];
        var bytes = File.ReadAllBytes(path);
        Assert.True(ManifestLog.TryDecodeHeader(bytes, out var id, out var salt, out _));
        Assert.Equal(
            ManifestReadResult.Record, ManifestLog.TryReadRecord(bytes, ManifestLog.HeaderSize, salt, out _, out _));
        var content = ContentOf(_database);
        var edit = content.ToEdit(content.NextFileNumber) with
        {
            State = content.State with { HashSeed = content.State.HashSeed + 1 }
        };
        var forged = new byte[bytes.Length];
        ManifestLog.EncodeHeader(id, salt).CopyTo(forged, 0);
        ManifestLog.EncodeRecord(salt, ManifestLog.HeaderSize, VersionEditCodec.Encode(edit)).CopyTo(
            forged, ManifestLog.HeaderSize);
        File.WriteAllBytes(path, forged);
        Assert.Equal("table hash seed", Assert.Throws<CorruptionException>(() => _database.Open().Dispose()).Kind);
        Assert.Contains(
            Varve.Inspection.Verification.Check(Storages.Default, _database.Directory, deep: false),
            problem => problem.Structure == "table hash seed");

        var output = Path.Combine(_database.Root, "repaired");
        Varve.Inspection.Repair.Run(Storages.Default, _database.Directory, output);
        using var repaired = LsmStateMachine.Open(output, Database.Small);
        Assert.Equal(500UL, NumberedLog.AssertIsWhole(repaired));
    }

    /// <summary>A peer that makes a snapshot knows its seed, and still not what memtables are hashed with.</summary>
    [Fact]
    public void KeysThatCollideInTablesDoNotInMemtables()
    {
        var generation = new StateGeneration(MachineState.Empty(TestHash.Seed, StoredLeaseClock.Local), 64);
        byte[] one = TestHash.Colliding(TestHash.Seed, 1), two = TestHash.Colliding(TestHash.Seed, 2);
        Assert.Equal(generation.TableHasher.Of(one), generation.TableHasher.Of(two));
        Assert.NotEqual(generation.MemtableHasher.Of(one), generation.MemtableHasher.Of(two));
        var next = new StateGeneration(MachineState.Empty(TestHash.Seed, StoredLeaseClock.Local), 64);
        Assert.NotEqual(generation.MemtableHasher.Of(one), next.MemtableHasher.Of(one));
    }

    /// <summary>
    /// Every way of a key with the hash of thousands of others: one chunk, many, overwritten, recovered, flushed,
    /// compacted, cut and absent.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(500)]
    [InlineData(4000)]
    public async Task CollidingKeysStayDistinct(int chunk)
    {
        const int Count = 4000;
        var options = Database.Small with { MemtableBytes = 1 << 20, HashSeed = TestHash.Seed };
        var results = new ApplyResult[chunk];
        ulong index = 0;
        using (var machine = _database.Open(options))
        {
            Apply(
                machine, 0, Count,
                static i => Command.Insert(TestHash.Colliding(TestHash.Seed, (ulong)i), BitConverter.GetBytes(i)));
            Apply(machine, 0, Count / 2, static i => Command.CompareAndSwap(
                TestHash.Colliding(TestHash.Seed, (ulong)i), BitConverter.GetBytes(i), BitConverter.GetBytes(-i)));
            AssertAll(machine);
        }

        using (var machine = _database.Open(options))
        {
            AssertAll(machine);
            await machine.CompactAsync();
            AssertAll(machine);
        }

        void Apply(LsmStateMachine machine, int from, int to, Func<int, Command> command)
        {
            for (var first = from; first < to; first += chunk)
            {
                var entries = Enumerable.Range(first, Math.Min(chunk, to - first))
                    .Select(i => new ApplyEntry(++index, 1, command(i))).ToArray();
                machine.ApplyChunk(entries, results);
                Assert.All(results[..entries.Length], result => Assert.True(result.Succeeded));
            }
        }

        void AssertAll(LsmStateMachine machine)
        {
            Assert.Equal(Count, machine.Count);
            for (var i = 0; i < Count; i++)
                Assert.Equal(
                    i < Count / 2 ? -i : i,
                    BitConverter.ToInt32(machine.Get(TestHash.Colliding(TestHash.Seed, (ulong)i))));
            for (var i = Count; i < Count + 100; i++)
                Assert.Null(machine.Get(TestHash.Colliding(TestHash.Seed, (ulong)i)));
        }
    }

    private static async Task Fill(Database database, EngineOptions? options = null)
    {
        using var machine = database.Open(options);
        NumberedLog.ApplyUpTo(machine, 400);
        await machine.CompactAsync();
        NumberedLog.ApplyUpTo(machine, 500);
    }

    private static MachineState StateOf(Database database) => ContentOf(database).State;

    private static ManifestContent ContentOf(Database database) =>
        ManifestReader.Read(
            Storages.Default, database.Files(FileNames.ManifestSuffix)[0], null,
            static damage => throw damage)!.Content;

    private static IEnumerable<ulong> TableSeeds(Database database)
    {
        foreach (var path in database.Files(FileNames.TableSuffix))
        {
            var bytes = File.ReadAllBytes(path);
            Assert.True(TableFooter.TryDecode(bytes, bytes.Length, out var footer, out _));
            yield return footer!.HashSeed;
        }
    }
}
