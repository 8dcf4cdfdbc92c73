using Varve.Background;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// A full disk is an ordinary error: nothing is acknowledged, nothing changes, and the engine continues once space
/// returns.
/// </summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly Database _database = new();
    private readonly FaultInjector _storage = new(Storages.Default);
    private volatile bool _full;

    public FullDiskTests() => _storage.Before = (operation, path) =>
    {
        // A segment in use has its blocks already.
        var takesSpace = operation is "allocate"
            || (operation is "write" && !path.Contains(FileNames.SegmentSuffix, StringComparison.Ordinal));
        if (_full && takesSpace) throw new StorageFullException(path);
    };

    public void Dispose() => _database.Dispose();

    [Fact]
    public Task FiftyFullDisksLoseNothing() =>
        ResourceShortage.Cycle(_database, _storage, times: 50, isFull => _full = isFull);

    [Fact]
    public async Task SyncWaiterIsServedThoughNextSegmentCannotBeMade()
    {
        using var machine = _database.Open(
            Database.Small with { Durability = Durability.Power }, new EngineSeams(_storage));
        // Up to the rotation that takes the last segment made ahead; from there on the next one cannot be made.
        NumberedLog.ApplyUpTo(machine, 1_000);
        _full = true;
        for (ulong index = 1_001; ; index++)
        {
            try
            {
                await machine.ApplyChunkAsync(NumberedLog.Chunk(index, 1)).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            }
            catch (StorageFullException)
            {
                break;
            }
        }

        Assert.True(machine.LastApplied.Index > 1_000);
        Assert.Equal(machine.LastApplied, machine.DurableLogId);
        _full = false;
        NumberedLog.AssertIsWholeToRead(machine);
    }

    [Fact]
    public void RecordRefusedByFullDiskChangesNothing()
    {
        // On file systems that do not rewrite blocks in place, a disk can be full for them too.
        using (var machine = _database.Open(
            Database.Small with { Durability = Durability.Power }, new EngineSeams(_storage)))
        {
            NumberedLog.ApplyUpTo(machine, 50);
            var before = _storage.Before;
            _storage.Before = (operation, path) =>
            {
                if (operation is "write" && path.Contains(FileNames.SegmentSuffix, StringComparison.Ordinal))
                    throw new StorageFullException(path);
            };
            Assert.Throws<StorageFullException>(() => NumberedLog.ApplyUpTo(machine, 60));
            Assert.Equal(50UL, NumberedLog.AssertIsWholeToRead(machine));
            _storage.Before = before;
            NumberedLog.ApplyUpTo(machine, 90);
            Assert.Equal(90UL, NumberedLog.AssertIsWhole(machine));
        }

        using var recovered = _database.Open();
        Assert.Equal(90UL, NumberedLog.AssertIsWhole(recovered));
    }

    [Fact]
    public async Task SnapshotOrInstallOnFullDiskChangesNothing()
    {
        var snapshot = Path.Combine(_database.Root, "snapshot");
        var metadata = await FailedSyncTests.MakeSnapshot(snapshot, 400);
        using var machine = _database.Open(Database.Small, new EngineSeams(_storage));
        NumberedLog.ApplyUpTo(machine, 50);
        _full = true;
        var target = Path.Combine(_database.Root, "mine");
        await Assert.ThrowsAsync<StorageFullException>(
            () => machine.GenerateSnapshotDataAsync(target, machine.LastApplied));
        await Assert.ThrowsAsync<StorageFullException>(() => machine.ApplySnapshotFromFileAsync(metadata, snapshot));
        _full = false;
        Assert.Equal(
            ["db", "snapshot"], Directory.GetFileSystemEntries(_database.Root).Select(Path.GetFileName).Order());
        Assert.Equal(50UL, NumberedLog.AssertIsWhole(machine));
        Assert.Empty(_database.Files(FileNames.TableSuffix));
        Assert.Empty(Directory.GetDirectories(_database.Directory));

        await machine.GenerateSnapshotDataAsync(target, machine.LastApplied);
        await machine.ApplySnapshotFromFileAsync(metadata, snapshot);
        Assert.Equal(400UL, NumberedLog.AssertIsWhole(machine));
    }

    [Fact]
    public async Task ManifestOnFullDiskKeepsVersion()
    {
        var steps = new ManualScheduler();
        using (var machine = _database.Open(Database.Small, new EngineSeams(_storage, steps)))
        {
            NumberedLog.ApplyUpTo(machine, 100);
            _storage.Before = (operation, path) =>
            {
                if (operation == "write" && path.EndsWith(FileNames.ManifestSuffix, StringComparison.Ordinal))
                    throw new StorageFullException(path);
            };
            var compaction = machine.CompactAsync();
            steps.Run();
            Assert.True(compaction.IsCompleted);
            await Assert.ThrowsAsync<StorageFullException>(() => compaction);
            Assert.Empty(machine.GetStatistics().Runs);
            Assert.Equal(2, machine.GetStatistics().Memtables);
            NumberedLog.AssertIsWhole(machine);
            _storage.Before = null;
            compaction = machine.CompactAsync();
            steps.Run();
            await compaction;
            Assert.Single(machine.GetStatistics().Runs);
            NumberedLog.AssertIsWhole(machine);
        }

        using var recovered = _database.Open();
        Assert.Equal(100UL, NumberedLog.AssertIsWhole(recovered));
    }

    [Fact]
    public async Task RequestedCompactionsFailOnFullDiskAndLaterOnesSucceed()
    {
        var steps = new ManualScheduler();
        using var machine = _database.Open(Database.Small, new EngineSeams(_storage, steps));
        for (var runs = 1; runs <= 2; runs++)
        {
            NumberedLog.ApplyUpTo(machine, (ulong)runs * 50);
            var flush = machine.CompactAsync();
            steps.Run();
            await flush;
        }

        // Nothing is sealed: the merge finds no space, and the second request would never be served.
        NumberedLog.ApplyUpTo(machine, 150);
        Task[] asked = [machine.CompactAsync(), machine.CompactAsync(), machine.CompactAsync()];
        _full = true;
        steps.Run();
        Assert.All(asked, compaction => Assert.True(compaction.IsCompleted));
        foreach (var compaction in asked) await Assert.ThrowsAsync<StorageFullException>(() => compaction);
        _full = false;
        var again = machine.CompactAsync();
        steps.Run();
        await again;
        Assert.Single(machine.GetStatistics().Runs);
        NumberedLog.AssertIsWhole(machine);
    }

    [Fact]
    public async Task HistoryDropsTablesThoughFlushesFailOnFullDisk()
    {
        var steps = new ManualScheduler();
        using var machine = _database.Open(
            Database.Small with { HistoryEntries = 100 }, new EngineSeams(_storage, steps));
        for (var runs = 1; runs <= 2; runs++)
        {
            NumberedLog.ApplyUpTo(machine, (ulong)runs * 50);
            var merge = machine.CompactAsync();
            steps.Run();
            await merge;
        }

        Assert.True(_database.Files(FileNames.TableSuffix).Length > 1); // the past has the table that was merged away
        _storage.Before = (operation, path) =>
        {
            if (operation is "create" or "take over" && path.Contains(FileNames.TableSuffix, StringComparison.Ordinal))
                throw new StorageFullException(path);
        };
        NumberedLog.ApplyUpTo(machine, 250);
        var refused = machine.CompactAsync();
        steps.Run();
        await Assert.ThrowsAsync<StorageFullException>(() => refused);
        Assert.Single(_database.Files(FileNames.TableSuffix));
    }

    [Fact]
    public async Task SnapshotOnOtherDiskNeedsNoLocalSpace()
    {
        var target = Path.Combine(_database.Root, "elsewhere");
        var steps = new ManualScheduler();
        SnapshotMetadata metadata;
        using (var machine = _database.Open(
            Database.Small with { SealedMemtablesMax = 1 }, new EngineSeams(_storage, steps)))
        {
            NumberedLog.ApplyUpTo(machine, 500);
            await machine.GenerateSnapshotDataAsync(Path.Combine(_database.Root, "earlier"), machine.LastApplied);
            var before = _storage.Before!;
            _storage.Before = (operation, path) =>
            {
                if (path.StartsWith(_database.Directory + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                    before(operation, path);
            };
            // One waits for its flush.
            while (machine.GetStatistics().Memtables < 2)
                NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 20);
            _full = true;
            ResourceShortage.ApplyUntilMet(machine);
            FillToTheLastByte(machine);
            var checksum = await machine.GenerateSnapshotDataAsync(target, machine.LastApplied);
            metadata = new SnapshotMetadata(machine.LastApplied, checksum);
            Assert.Equal(metadata.LastIncluded, machine.SnapshotMetadata!.LastIncluded);
            Assert.Null(machine.GetStatistics().Fault);

            using var other = LsmStateMachine.Open(Path.Combine(_database.Root, "other"), Database.Small);
            await other.ApplySnapshotFromFileAsync(metadata, target);
            Assert.Equal(machine.ScanPrefix([]).Entries.Count, other.ScanPrefix([]).Entries.Count);

            _full = false;
            var compaction = machine.CompactAsync();
            steps.Run();
            await compaction;
        }

        using var recovered = _database.Open();
        Assert.Equal(metadata.LastIncluded, recovered.SnapshotMetadata!.LastIncluded);
    }

    /// <summary>Applies no-ops, one by one, until not even their record finds room.</summary>
    private static void FillToTheLastByte(LsmStateMachine machine)
    {
        while (true)
        {
            try
            {
                machine.ApplyChunk(
                    [new ApplyEntry(machine.LastApplied.Index + 1, machine.LastApplied.Term, Command.Noop)],
                    new ApplyResult[1]);
            }
            catch (StorageFullException)
            {
                return;
            }
        }
    }
}
