using Varve.Background;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// After the first failed sync an engine acknowledges nothing more; acknowledged entries are there after a reopen.
/// </summary>
public sealed class FailedSyncTests : IDisposable
{
    private readonly Database _database = new();
    private readonly FaultInjector _storage = new(Storages.Default);

    public void Dispose() => _database.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FailedSyncLatchesAndReadsContinue(bool asynchronously)
    {
        using (var machine = _database.Open(
            Database.Small with { Durability = Durability.Power }, new EngineSeams(_storage)))
        {
            NumberedLog.ApplyUpTo(machine, 50);
            var read = machine.Get("key-005"u8);
            FailSyncs();
            if (asynchronously)
                await Assert.ThrowsAsync<EngineFaultedException>(
                    async () => await machine.ApplyChunkAsync(NumberedLog.Chunk(51, 3)));
            else
                Assert.Throws<EngineFaultedException>(
                    () => machine.ApplyChunk(NumberedLog.Chunk(51, 3), new ApplyResult[3]));
            _storage.Before = null;

            // The disk is well again, and a second sync would succeed without having written anything.
            await AssertAcknowledgesNothing(machine, 51);
            Assert.Equal(50UL, machine.LastApplied.Index);
            Assert.Equal(read, machine.Get("key-005"u8));
            Assert.NotEmpty(machine.ScanPrefix([]).Entries);
        }

        AssertRecovers(50, 53);
    }

    [Fact]
    public void EntriesNotYetDurableAreNotFlushed()
    {
        var steps = new ManualScheduler();
        using (var machine = _database.Open(
            Database.Small with { Durability = Durability.Power }, new EngineSeams(_storage, steps)))
        {
            NumberedLog.ApplyUpTo(machine, 50);
            string? active = null;
            var hasRun = false;
            _storage.Before = (operation, path) =>
            {
                if (operation is not "sync") return;
                if (active is null)
                {
                    // The applier is at its sync, so that its entries are written and not published. Its memtable ends
                    // and is due for a flush.
                    active = path;
                    _ = machine.CompactAsync();
                    hasRun = steps.Run();
                }

                if (path == active) throw new IOException("injected");
            };
            Assert.Throws<EngineFaultedException>(
                () => machine.ApplyChunk(NumberedLog.Chunk(51, 3), new ApplyResult[3]));
            _storage.Before = null;
            Assert.True(hasRun);
            Assert.Empty(_database.Files(FileNames.TableSuffix));
            Assert.Equal(50UL, NumberedLog.AssertIsWholeToRead(machine));
        }

        AssertRecovers(50, 53);
    }

    [Fact]
    public async Task UnwritableRecordLatches()
    {
        using (var machine = _database.Open(
            Database.Small with { Durability = Durability.Power }, new EngineSeams(_storage)))
        {
            NumberedLog.ApplyUpTo(machine, 50);
            _storage.Before = (operation, path) =>
            {
                if (operation is "write" && path.Contains(FileNames.SegmentSuffix, StringComparison.Ordinal))
                    throw new IOException("injected");
            };
            Assert.Throws<EngineFaultedException>(
                () => machine.ApplyChunk(NumberedLog.Chunk(51, 3), new ApplyResult[3]));
            _storage.Before = null;
            await AssertAcknowledgesNothing(machine, 51);
            Assert.Equal(50UL, NumberedLog.AssertIsWholeToRead(machine));
        }

        AssertRecovers(50, 53);
    }

    [Fact]
    public async Task FailedFlushLatchesUnderProcess()
    {
        using (var machine = _database.Open(Database.Small, new EngineSeams(_storage)))
        {
            NumberedLog.ApplyUpTo(machine, 50);
            FailSyncs();
            Assert.Throws<EngineFaultedException>(machine.Flush);
            _storage.Before = null;
            await AssertAcknowledgesNothing(machine, 51);
            NumberedLog.AssertIsWholeToRead(machine);
        }

        AssertRecovers(50, 50);
    }

    [Fact]
    public async Task FailedTableOrManifestSyncLatches()
    {
        foreach (var suffix in (string[])[FileNames.TableSuffix, FileNames.ManifestSuffix])
        {
            using var other = new Database();
            using (var machine = other.Open(Database.Small, new EngineSeams(_storage)))
            {
                NumberedLog.ApplyUpTo(machine, 100);
                FailSyncs(suffix);
                await Assert.ThrowsAsync<EngineFaultedException>(
                    () => machine.CompactAsync().WaitAsync(TimeSpan.FromSeconds(30)));
                _storage.Before = null;
                await AssertAcknowledgesNothing(machine, 101);
                NumberedLog.AssertIsWholeToRead(machine);
            }

            using var recovered = other.Open();
            Assert.Equal(100UL, NumberedLog.AssertIsWhole(recovered));
        }
    }

    [Fact]
    public async Task InstallWithFailedManifestSyncLeavesOldOrNewState()
    {
        var snapshot = Path.Combine(_database.Root, "snapshot");
        var metadata = await MakeSnapshot(snapshot, 400);
        using (var machine = _database.Open(Database.Small, new EngineSeams(_storage)))
        {
            NumberedLog.ApplyUpTo(machine, 50);
            FailSyncs(FileNames.ManifestSuffix);
            await Assert.ThrowsAsync<EngineFaultedException>(
                () => machine.ApplySnapshotFromFileAsync(metadata, snapshot));
            _storage.Before = null;
            await AssertAcknowledgesNothing(machine, 51);
            Assert.Equal(50UL, machine.LastApplied.Index);
            NumberedLog.AssertIsWholeToRead(machine);
        }

        AssertRecovers(50, 400);
    }

    /// <summary>A snapshot of the numbered log, made elsewhere.</summary>
    internal static async Task<SnapshotMetadata> MakeSnapshot(string target, ulong index)
    {
        using var source = new Database();
        using var machine = source.Open();
        NumberedLog.ApplyUpTo(machine, index);
        return new SnapshotMetadata(
            machine.LastApplied, await machine.GenerateSnapshotDataAsync(target, machine.LastApplied));
    }

    private void FailSyncs(string of = "") => _storage.Before = (operation, path) =>
    {
        if (operation == "sync" && path.Contains(of, StringComparison.Ordinal))
            throw new IOException("injected: " + path);
    };

    private static async Task AssertAcknowledgesNothing(LsmStateMachine machine, ulong next)
    {
        Assert.Contains("injected", machine.GetStatistics().Fault, StringComparison.Ordinal);
        Assert.Throws<EngineFaultedException>(() => machine.ApplyChunk(NumberedLog.Chunk(next, 1), new ApplyResult[1]));
        await Assert.ThrowsAsync<EngineFaultedException>(
            async () => await machine.ApplyChunkAsync(NumberedLog.Chunk(next, 1)));
        Assert.Throws<EngineFaultedException>(machine.Flush);
        await Assert.ThrowsAsync<EngineFaultedException>(() => machine.FlushAsync());
        await Assert.ThrowsAsync<EngineFaultedException>(() => machine.ResetAsync());
        await Assert.ThrowsAsync<EngineFaultedException>(() => machine.CompactAsync());
        Assert.Throws<EngineFaultedException>(() => machine.PersistLastApplied(NumberedLog.Id(next)));
    }

    private void AssertRecovers(ulong least, ulong most)
    {
        for (var recovery = 0; recovery < 2; recovery++)
        {
            using var machine = _database.Open();
            var index = NumberedLog.AssertIsWhole(machine);
            Assert.True(index == least || index == most, $"recovered {index}");
        }
    }
}
