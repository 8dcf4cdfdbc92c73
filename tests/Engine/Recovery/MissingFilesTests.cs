using Varve.Background;
using Varve.Format;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// A database without one of its files is corrupt, never new; foreign files are left alone; its own leftovers are
/// swept.
/// </summary>
public sealed class MissingFilesTests : IDisposable
{
    private readonly Database _database = new();

    public void Dispose() => _database.Dispose();

    [Theory]
    [InlineData(FileNames.Identity)]
    [InlineData(FileNames.Current)]
    [InlineData(FileNames.ManifestSuffix)]
    [InlineData(FileNames.TableSuffix)]
    [InlineData(FileNames.SegmentSuffix)]
    public async Task MissingFileIsCorruption(string name)
    {
        await WriteTablesAndLog();
        var path = name[0] == '.'
            ? name == FileNames.SegmentSuffix ? _database.LastSegment() : _database.Files(name)[0]
            : _database.PathOf(name);
        File.Delete(path);
        var before = Directory.GetFiles(_database.Directory).Order();
        Assert.Equal(path, Assert.Throws<CorruptionException>(() => _database.Open().Dispose()).Path);
        Assert.Equal(before, Directory.GetFiles(_database.Directory).Order());
    }

    [Theory]
    [InlineData(FileNames.Identity)]
    [InlineData(FileNames.Current)]
    public async Task DamagedPointerFileIsCorruption(string name)
    {
        await WriteTablesAndLog();
        for (var bit = 0; bit < PointerFile.Size * 8; bit += 5)
        {
            Database.Flip(_database.PathOf(name), bit / 8, bit % 8);
            Assert.Equal(
                _database.PathOf(name), Assert.Throws<CorruptionException>(() => _database.Open().Dispose()).Path);
            Database.Flip(_database.PathOf(name), bit / 8, bit % 8);
        }
    }

    [Fact]
    public async Task DamagedEditBeforeAnotherIsCorruption()
    {
        await WriteTablesAndLog();
        var path = _database.Files(FileNames.ManifestSuffix)[0];
        var bytes = File.ReadAllBytes(path);
        Assert.True(ManifestLog.TryDecodeHeader(bytes, out _, out var salt, out _));
        var offsets = new List<long>();
        for (long offset = ManifestLog.HeaderSize, next;
            ManifestLog.TryReadRecord(bytes, offset, salt, out _, out next) == ManifestReadResult.Record; offset = next)
            offsets.Add(offset);
        Assert.True(offsets.Count >= 3);
        foreach (var damaged in offsets.SkipLast(1))
        {
            Database.Flip(path, damaged + ManifestLog.RecordHeaderSize);
            Assert.Equal(path, Assert.Throws<CorruptionException>(() => _database.Open().Dispose()).Path);
            Database.Flip(path, damaged + ManifestLog.RecordHeaderSize);
        }
    }

    [Fact]
    public async Task IdentityOfOtherDatabaseIsCorruption()
    {
        await WriteTablesAndLog();
        File.WriteAllBytes(_database.PathOf(FileNames.Identity), new PointerFile(Guid.NewGuid(), 0).Encode());
        Assert.Equal(
            _database.PathOf(FileNames.Current),
            Assert.Throws<CorruptionException>(() => _database.Open().Dispose()).Path);
    }

    [Fact]
    public void MissingSegmentBeforeSyncedOneIsCorruption()
    {
        using var parked = new ManualResetEventSlim();
        var storage = new FaultInjector(Storages.Default)
        {
            Before = (operation, path) =>
            {
                if (operation == "create" && path.Contains(FileNames.TableSuffix, StringComparison.Ordinal))
                    parked.Wait();
            },
        };
        using var machine = _database.Open(Database.Small with { SealedMemtablesMax = 8 }, new EngineSeams(storage));
        try
        {
            NumberedLog.ApplyUpTo(machine, 1500);
            machine.Flush();
            NumberedLog.ApplyUpTo(machine, 1510);
            Assert.True(machine.GetStatistics().Memtables >= 3);
            for (var missing = 0; missing < 3; missing++)
            {
                using var copy = storage.WhileStill(_database.Copy);
                string[] chain = [.. copy.Files(FileNames.SegmentSuffix).Where(
                    path => Database.Records(path).Count > 0)];
                File.Delete(chain[missing]);
                Assert.Throws<CorruptionException>(() => copy.Open().Dispose());
            }

            using (var intact = storage.WhileStill(_database.Copy))
            using (var recovered = intact.Open())
                Assert.Equal(1510UL, NumberedLog.AssertIsWhole(recovered));
        }
        finally
        {
            parked.Set(); // closing waits for who is parked
        }
    }

    [Fact]
    public void InterruptedCreationIsRedone()
    {
        for (var call = 0; ; call++)
        {
            using var cut = new Database();
            var left = call;
            var storage = new FaultInjector(Storages.Default)
            {
                Before = (operation, path) =>
                {
                    if (Interlocked.Decrement(ref left) < 0) throw new IOException($"injected: {operation} {path}");
                },
            };
            var opened = false;
            try
            {
                using var machine = cut.Open(Database.Small, new EngineSeams(storage));
                opened = true;
            }
            catch (IOException e) when (e is not CorruptionException)
            {
            }

            using (var machine = cut.Open())
            {
                Assert.True(machine.IsEmpty);
                NumberedLog.ApplyUpTo(machine, 5);
            }

            using (var machine = cut.Open()) Assert.Equal(5UL, NumberedLog.AssertIsWhole(machine));
            if (opened) return;
        }
    }

    [Fact]
    public async Task LeftoversAreSweptAndUnknownFilesKept()
    {
        await WriteTablesAndLog();
        string[] ours = [
            "000000000900.vtab", "000000000901.vtab.tmp", "CURRENT.tmp", "000000000902.wal.tmp", "000000000903.vman",
            "000000000000.wal"];
        string[] theirs = [
            "notes.txt", "my.vtab", "7.wal", "0000000000007.wal", "000000000900.vtab.bak", "notes.tmp", "my.vtab.tmp",
            "staging-not-a-directory"];
        foreach (var name in ours.Concat(theirs)) File.WriteAllText(_database.PathOf(name), "?");
        Directory.CreateDirectory(_database.PathOf("staging-000000000077"));
        File.WriteAllText(_database.PathOf("staging-000000000077/part"), "?");
        Directory.CreateDirectory(_database.PathOf("snapshots"));
        File.WriteAllText(_database.PathOf("snapshots/kept"), "?");

        using (var machine = _database.Open()) NumberedLog.AssertIsWhole(machine);
        Assert.All(ours, name => Assert.False(File.Exists(_database.PathOf(name)), name));
        Assert.All(theirs, name => Assert.True(File.Exists(_database.PathOf(name)), name));
        Assert.False(Directory.Exists(_database.PathOf("staging-000000000077")));
        Assert.True(File.Exists(_database.PathOf("snapshots/kept")));
    }

    [Fact]
    public async Task FilesAreAccessibleToOwnerOnly()
    {
        if (OperatingSystem.IsWindows()) return;
        await WriteTablesAndLog();
        using (var machine = _database.Open())
            await machine.GenerateSnapshotDataAsync(Path.Combine(_database.Root, "snapshot"), machine.LastApplied);
        foreach (var directory in (string[])[_database.Directory, Path.Combine(_database.Root, "snapshot")])
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                File.GetUnixFileMode(directory));
            Assert.NotEmpty(Directory.GetFiles(directory));
            // Tables in a snapshot, which may be tables of the database too, are read-only as well.
            foreach (var path in Directory.GetFiles(directory))
                Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(path) & ~UnixFileMode.UserWrite);
        }
    }

    [Fact]
    public void SecondEngineOnDirectoryIsRefused()
    {
        using (var machine = _database.Open())
        {
            NumberedLog.ApplyUpTo(machine, 5);
            Assert.Equal(_database.Directory, Assert.Throws<AlreadyOpenException>(() => _database.Open()).Directory);
            NumberedLog.ApplyUpTo(machine, 9);
        }

        using var next = _database.Open();
        Assert.Equal(9UL, NumberedLog.AssertIsWhole(next));
    }

    private async Task WriteTablesAndLog()
    {
        using var machine = _database.Open();
        NumberedLog.ApplyUpTo(machine, 600);
        await machine.CompactAsync();
        NumberedLog.ApplyUpTo(machine, 650);
    }
}
