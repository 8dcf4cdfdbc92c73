using Varve.Background;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>Snapshots link files if they can and copy them otherwise; a close interrupts an install.</summary>
public sealed class SnapshotStorageTests : IDisposable
{
    private readonly Database _database = new();
    private readonly FaultInjector _storage = new(Storages.Default);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TablesAreLinkedOrCopied(bool canLink)
    {
        _storage.CanLink = canLink;
        var linked = 0;
        _storage.Before = (operation, _) => linked += operation == "link" ? 1 : 0;
        var snapshot = Path.Combine(_database.Root, "snapshot");
        ReadOnlyMemory<byte> checksum;
        LogId id;
        using (var machine = _database.Open(Database.Small, new EngineSeams(_storage)))
        {
            NumberedLog.ApplyUpTo(machine, 700);
            await machine.CompactAsync();
            NumberedLog.ApplyUpTo(machine, 730);
            id = machine.LastApplied;
            checksum = await machine.GenerateSnapshotDataAsync(snapshot, id);
        }

        Assert.True(linked > 0);
        using var other = new Database();
        using var second = other.Open();
        await second.ApplySnapshotFromFileAsync(new SnapshotMetadata(id, checksum), snapshot);
        Assert.Equal(730UL, NumberedLog.AssertIsWhole(second));
    }

    [Fact]
    public async Task SnapshotWithUnsyncedNameIsRemoved()
    {
        using var machine = _database.Open(Database.Small, new EngineSeams(_storage));
        NumberedLog.ApplyUpTo(machine, 100);
        var snapshot = Path.Combine(_database.Root, "snapshot");
        _storage.Before = (operation, path) =>
        {
            if (operation == "sync directory" && path == _database.Root) throw new IOException("injected");
        };
        await Assert.ThrowsAsync<IOException>(() => machine.GenerateSnapshotDataAsync(snapshot, machine.LastApplied));
        Assert.Equal([_database.Directory], Directory.GetDirectories(_database.Root));
        _storage.Before = null;
        Assert.Equal(32, (await machine.GenerateSnapshotDataAsync(snapshot, machine.LastApplied)).Length);
    }

    [Fact]
    public async Task CutIsTakenAtRequestedMoment()
    {
        using var machine = _database.Open(); // it keeps no history
        for (var round = 0; round < 40; round++)
        {
            NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 20);
            var id = machine.LastApplied;
            var path = Path.Combine(_database.Root, $"cut-{round}");
            var cut = machine.GenerateSnapshotDataAsync(path, id);
            NumberedLog.ApplyUpTo(machine, id.Index + 60);
            var metadata = new SnapshotMetadata(id, await cut);
            if (round % 10 != 0) continue;
            using var other = new Database();
            using var second = other.Open();
            await second.ApplySnapshotFromFileAsync(metadata, path);
            Assert.Equal(id.Index, NumberedLog.AssertIsWhole(second));
        }
    }

    [Fact]
    public async Task CutDoesNotWaitForApplierInMidChunk()
    {
        var opener = Thread.CurrentThread;
        Thread? applier = null;
        using var parked = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        _storage.Before = (operation, path) =>
        {
            if (operation != "create"
                || !path.EndsWith(FileNames.SegmentSuffix + FileNames.TemporarySuffix, StringComparison.Ordinal)
                || Thread.CurrentThread == opener)
                return;
            // This leaves no segment ready: the applier makes its own.
            if (Thread.CurrentThread != applier) throw new StorageFullException(path);
            parked.Set();
            release.Wait();
        };
        using var machine = _database.Open(Database.Small, new EngineSeams(_storage)); // it keeps no history
        applier = new Thread(() =>
        {
            while (!parked.IsSet) NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 20);
            NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 200);
        });
        applier.Start();
        parked.Wait();

        var id = machine.LastApplied;
        var path = Path.Combine(_database.Root, "cut");
        var asked = Task.Run(() => new[] { machine.GenerateSnapshotDataAsync(path, id) });
        try
        {
            await asked.WaitAsync(TimeSpan.FromSeconds(30));
        }
        finally
        {
            release.Set();
            applier.Join();
            _storage.Before = null;
        }

        var metadata = new SnapshotMetadata(id, await (await asked)[0]);
        using var other = new Database();
        using var second = other.Open();
        await second.ApplySnapshotFromFileAsync(metadata, path);
        Assert.Equal(id.Index, NumberedLog.AssertIsWhole(second));
    }

    [Fact]
    public async Task CloseAbandonsInstallBeforeReleasingDirectory()
    {
        var snapshot = Path.Combine(_database.Root, "snapshot");
        ReadOnlyMemory<byte> checksum;
        LogId id;
        using (var machine = _database.Open())
        {
            NumberedLog.ApplyUpTo(machine, 700);
            id = machine.LastApplied;
            checksum = await machine.GenerateSnapshotDataAsync(snapshot, id);
        }

        using var other = new Database();
        var second = other.Open(Database.Small, new EngineSeams(_storage));
        NumberedLog.ApplyUpTo(second, 40);
        var parked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var release = new ManualResetEventSlim();
        _storage.Before = (operation, path) =>
        {
            if (operation == "rename" && path.EndsWith(FileNames.TableSuffix, StringComparison.Ordinal)
                && parked.TrySetResult())
                release.Wait();
        };
        var install = second.ApplySnapshotFromFileAsync(new SnapshotMetadata(id, checksum), snapshot);
        await parked.Task;
        var close = Task.Run(second.CloseStorage);
        // A snapshot into a directory that is in use fails at once; from the beginning of the close on because of that.
        while (await Record.ExceptionAsync(
            () => second.GenerateSnapshotDataAsync(snapshot, second.LastApplied)) is not ObjectDisposedException)
        {
        }

        Assert.Throws<AlreadyOpenException>(() => other.Open());
        release.Set();
        await close;

        await Assert.ThrowsAsync<ObjectDisposedException>(() => install);
        using var again = other.Open();
        Assert.Equal(40UL, NumberedLog.AssertIsWhole(again));
    }

    public void Dispose() => _database.Dispose();
}
