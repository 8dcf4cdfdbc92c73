using Varve.Background;
using Varve.Format;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// Mistakes read in the sources of other engines and state machines that only files show, each shut out by name; those
/// that any caller can see are in tests/Conformance/Regressions.
/// </summary>
public sealed class PeerWeaknessesInFiles : IDisposable
{
    private static readonly EngineOptions Power = Database.Small with { Durability = Durability.Power };

    private readonly Database _database = new();
    private readonly List<(string Operation, string Path)> _calls = [];
    private readonly FaultInjector _storage;

    public PeerWeaknessesInFiles()
    {
        _storage = new FaultInjector(Storages.Default)
        {
            Before = (operation, path) =>
            {
                lock (_calls) _calls.Add((operation, path));
            },
        };
    }

    public void Dispose() => _database.Dispose();

    /// <summary>d-engine's file machine syncs nothing.</summary>
    [Fact]
    public void PowerAnswersAfterLogSync()
    {
        using var machine = _database.Open(Power, new EngineSeams(_storage));
        for (ulong index = 1; index <= 5; index++)
        {
            var before = Calls().Count;
            NumberedLog.ApplyUpTo(machine, index);
            Assert.Contains(Calls().Skip(before), call => call.Operation == "sync"
                && call.Path.Contains(FileNames.SegmentSuffix, StringComparison.Ordinal));
            Assert.Equal(index, machine.DurableLogId.Index);
        }
    }

    /// <summary>d-engine's file machine opens its checkpoint with truncation and writes the new one over it.</summary>
    [Fact]
    public async Task NamedFilesAreNeverTruncatedOrOverwritten()
    {
        for (var open = 0; open < 2; open++)
        {
            using var machine = _database.Open(Database.Small, new EngineSeams(_storage));
            NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 400);
            await machine.CompactAsync();
        }

        string[] whole = [_database.PathOf(FileNames.Current), _database.PathOf(FileNames.Identity)];
        Assert.All(whole, path => Assert.Contains(("rename", path), Calls()));
        Assert.DoesNotContain(
            Calls(), call => call.Operation is "write" or "create" or "allocate" && whole.Contains(call.Path));
        Assert.DoesNotContain(
            Calls(),
            call => call.Operation == "write" && call.Path.EndsWith(FileNames.TableSuffix, StringComparison.Ordinal));
    }

    /// <summary>d-engine's file machine looks at every key in a scan.</summary>
    [Fact]
    public async Task ScanReadsNoUnneededBlock()
    {
        using (var machine = _database.Open())
        {
            NumberedLog.ApplyUpTo(machine, 400);
            await machine.CompactAsync();
        }

        // Every reader of a damaged block sees the damage.
        Database.Flip(Assert.Single(_database.Files(FileNames.TableSuffix)), 100);
        using var opened = _database.Open();
        Assert.NotEmpty(opened.ScanPrefix("key-09"u8.ToArray()).Entries);
        Assert.Throws<CorruptionException>(() => opened.ScanPrefix([]));
    }

    /// <summary>
    /// dotNext writes a snapshot's temporary file to the system's temporary folder, which may be on another device and
    /// open to others.
    /// </summary>
    [Fact]
    public async Task SnapshotIsBuiltBesideItsTarget()
    {
        var recorder = new FaultInjector(Storages.Default) { KeepsPaths = true };
        using var machine = _database.Open(Database.Small, new EngineSeams(recorder));
        NumberedLog.ApplyUpTo(machine, 300);
        var target = Path.Combine(_database.Root, "snapshot");
        await machine.GenerateSnapshotDataAsync(target, machine.LastApplied);
        Assert.All(recorder.Paths, path => Assert.True(
            path == _database.Root || path.StartsWith(target, StringComparison.Ordinal)
            || path.StartsWith(_database.Root + "/.varve-", StringComparison.Ordinal) || path == _database.Directory
            || path.StartsWith(_database.Directory + "/", StringComparison.Ordinal), path));
    }

    /// <summary>dotNext maps sparse pages: a full disk is then a signal that ends the process.</summary>
    [Fact]
    public void SegmentIsAllocatedBeforeItIsMapped()
    {
        using (var machine = _database.Open(Database.Small, new EngineSeams(_storage)))
            NumberedLog.ApplyUpTo(machine, 900);
        var mapped = Calls().Index().Where(call => call.Item.Operation == "map"
            && call.Item.Path.Contains(FileNames.SegmentSuffix, StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(mapped);
        Assert.All(mapped, call => Assert.Contains(("allocate", call.Item.Path), Calls().Take(call.Index)));
    }

    /// <summary>dotNext does not sync directories: a file that is synced may have no name after power loss.</summary>
    [Fact]
    public async Task NewNameIsSyncedBeforeAnotherFileRefersToIt()
    {
        using (var machine = _database.Open(Database.Small, new EngineSeams(_storage)))
        {
            NumberedLog.ApplyUpTo(machine, 900);
            await machine.CompactAsync();
        }

        var tables = Calls().Index().Where(call => call.Item.Operation == "rename"
            && call.Item.Path.EndsWith(FileNames.TableSuffix, StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(tables);
        foreach (var (at, _) in tables)
        {
            var named = Calls().FindIndex(at, call => call.Operation == "write"
                && call.Path.EndsWith(FileNames.ManifestSuffix, StringComparison.Ordinal));
            Assert.Contains(("sync directory", _database.Directory), Calls()[at..named]);
        }
    }

    /// <summary>dotNext's checkpoint has no checksum.</summary>
    [Fact]
    public async Task DamagedCheckpointIsRefused()
    {
        using (var machine = _database.Open())
        {
            NumberedLog.ApplyUpTo(machine, 400);
            await machine.CompactAsync();
        }

        // The first records: the last one is in the documented gap.
        using (var machine = _database.Open()) NumberedLog.AssertIsWhole(machine);
        var manifest = Assert.Single(_database.Files(FileNames.ManifestSuffix));
        for (var bit = 0; bit < ManifestLog.HeaderSize * 8; bit += 7)
        {
            Database.Flip(manifest, bit / 8, bit % 8);
            Assert.ThrowsAny<VarveException>(() => _database.Open().Dispose());
            Database.Flip(manifest, bit / 8, bit % 8);
        }

        Database.Flip(_database.PathOf(FileNames.Current), 30);
        Assert.Throws<CorruptionException>(() => _database.Open().Dispose());
    }

    /// <summary>
    /// ZoneTree reads a length from its log and reads, or allocates, as much, before it looks at the checksum.
    /// </summary>
    [Fact]
    public void LengthInLogIsNotTrusted()
    {
        using (var machine = _database.Open()) NumberedLog.ApplyUpTo(machine, 50, perChunk: 10);
        _database.DropCloseMarker();
        var path = _database.LastSegment();
        var last = Database.Records(path)[^1];
        foreach (var wild in (long[])[0, -1, 1, 95, 96, 97, last.Length
            - 8, last.Length + 8, int.MaxValue, 1L << 32, long.MaxValue, long.MinValue])
        {
            using var copy = _database.Copy();
            using (var file = File.Open(copy.LastSegment(), FileMode.Open))
            {
                file.Position = last.Offset + 16;
                file.Write(BitConverter.GetBytes(wild));
            }

            var before = GC.GetAllocatedBytesForCurrentThread();
            using var opened = copy.Open();
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
            Assert.Equal(40UL, NumberedLog.AssertIsWhole(opened));
        }
    }

    /// <summary>ZoneTree's disk segments have no checksums.</summary>
    [Fact]
    public async Task DamagedTableThrowsInsteadOfReturningValue()
    {
        using (var machine = _database.Open())
        {
            NumberedLog.ApplyUpTo(machine, 400);
            await machine.CompactAsync();
        }

        var path = Assert.Single(_database.Files(FileNames.TableSuffix));
        Assert.True(TableFooter.TryDecode(File.ReadAllBytes(path), new FileInfo(path).Length, out var footer, out _));
        for (long at = 64; at < footer!.DataLength; at += footer.DataLength / 23)
        {
            Database.Flip(path, at, (int)(at % 8));
            using (var opened = _database.Open()) Assert.Throws<CorruptionException>(() => opened.ScanPrefix([]));
            Database.Flip(path, at, (int)(at % 8));
        }
    }

    /// <summary>ZoneTree's synchronous mode rests on the runtime's flush, which swallows a failed sync.</summary>
    [Fact]
    public void FailedSyncIsNotAcknowledged()
    {
        using var machine = _database.Open(Power, new EngineSeams(_storage));
        NumberedLog.ApplyUpTo(machine, 10);
        _storage.Before = (operation, path) =>
        {
            if (operation == "sync" && path.Contains(FileNames.SegmentSuffix, StringComparison.Ordinal))
                throw new IOException("injected");
        };
        Assert.Throws<EngineFaultedException>(() => NumberedLog.ApplyUpTo(machine, 11));
        _storage.Before = null;
        Assert.Throws<EngineFaultedException>(() => machine.ApplyChunk([NumberedLog.Entry(11)], new ApplyResult[1]));
        Assert.Equal(10UL, machine.LastApplied.Index);
    }

    /// <summary>LevelDB's default recovery skips a damaged record and continues after it.</summary>
    [Fact]
    public void DamagedRecordEndsLog()
    {
        using (var machine = _database.Open()) NumberedLog.ApplyUpTo(machine, 100, perChunk: 10);
        _database.DropCloseMarker();
        var records =
            Database.Records(_database.LastSegment()).Where(record => record.Type == WalRecordType.Chunk).ToList();
        foreach (var damaged in records)
        {
            using var copy = _database.Copy();
            Database.Flip(copy.LastSegment(), damaged.Offset + 120);
            using var opened = copy.Open();
            Assert.Equal(damaged.FirstIndex - 1, NumberedLog.AssertIsWhole(opened));
        }
    }

    /// <summary>
    /// RocksDB's point-in-time recovery silently stops at a damaged record, also before records that were acknowledged
    /// as durable.
    /// </summary>
    [Fact]
    public void DurableEntriesAreNeverDroppedSilently()
    {
        using (var machine = _database.Open(Power)) NumberedLog.ApplyUpTo(machine, 100, perChunk: 10);
        var records =
            Database.Records(_database.LastSegment()).Where(record => record.Type == WalRecordType.Chunk).ToList();
        foreach (var damaged in records) // the last one too: a close vouches for it
        {
            using var copy = _database.Copy();
            Database.Flip(copy.LastSegment(), damaged.Offset + 120);
            Assert.Equal(damaged.Offset, Assert.Throws<CorruptionException>(() => copy.Open().Dispose()).Offset);
        }
    }

    /// <summary>dotNext publishes a snapshot in a <c>finally</c>, also when the copy threw.</summary>
    [Fact]
    public async Task FailedSnapshotHasNoName()
    {
        using var machine = _database.Open(Database.Small, new EngineSeams(_storage));
        NumberedLog.ApplyUpTo(machine, 300);
        var target = Path.Combine(_database.Root, "snapshot");
        _storage.Before = (operation, path) =>
        {
            if (operation == "write" && path.EndsWith(SnapshotNames.Manifest, StringComparison.Ordinal))
                throw new IOException("injected");
        };
        await Assert.ThrowsAsync<IOException>(() => machine.GenerateSnapshotDataAsync(target, machine.LastApplied));
        Assert.Equal([_database.Directory], Directory.GetDirectories(_database.Root));
        Assert.Null(machine.SnapshotMetadata);
    }

    private List<(string Operation, string Path)> Calls()
    {
        lock (_calls) return [.. _calls];
    }
}
