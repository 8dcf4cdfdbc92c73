using Varve.Background;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// Rules on the order of storage operations: which must be durable before which, with any others in between.
/// </summary>
public sealed class OperationOrderTests : IDisposable
{
    private readonly Database _database = new();
    private readonly FaultInjector _storage;

    public OperationOrderTests() => _storage = new FaultInjector(Storages.Default, _database.Root);

    public void Dispose() => _database.Dispose();

    [Fact]
    public async Task FlushSyncsTablesThenNamesThemThenSyncsManifest()
    {
        using (var machine = _database.Open(Database.Small, new EngineSeams(_storage)))
        {
            NumberedLog.ApplyUpTo(machine, 100);
            await machine.CompactAsync();
        }

        var operations = _storage.Operations.ToList();
        var rename = operations.FindIndex(line => line.StartsWith("rename", StringComparison.Ordinal)
            && line.EndsWith(FileNames.TableSuffix, StringComparison.Ordinal));
        AssertTablesAreSyncedBeforeTheirNames(operations);
        AssertFollows(operations, rename, "sync directory db", Manifest("write"), Manifest("sync"));
        AssertEveryManifestWriteIsSynced(operations);
        AssertNothingIsDeletedBeforeTheManifestSaysSo(operations, FileNames.TableSuffix);
    }

    [Fact]
    public async Task TablesAreDeletedAfterManifestDropsThem()
    {
        using (var machine = _database.Open(Database.Small, new EngineSeams(_storage)))
        {
            for (var round = 1UL; round <= 3; round++)
            {
                NumberedLog.ApplyUpTo(machine, round * 200);
                await machine.CompactAsync();
            }
        }

        var operations = _storage.Operations.ToList();
        Assert.Contains(operations, line => line.StartsWith("delete", StringComparison.Ordinal)
            && line.EndsWith(FileNames.TableSuffix, StringComparison.Ordinal));
        AssertTablesAreSyncedBeforeTheirNames(operations);
        AssertEveryManifestWriteIsSynced(operations);
        AssertNothingIsDeletedBeforeTheManifestSaysSo(operations, FileNames.TableSuffix);
    }

    [Fact]
    public async Task SegmentIsDeletedAfterManifestObsoletesIt()
    {
        using (var machine = _database.Open(Database.Small, new EngineSeams(_storage)))
        {
            NumberedLog.ApplyUpTo(machine, 100);
            await machine.CompactAsync();
            NumberedLog.ApplyUpTo(machine, 1000);
        }

        var operations = _storage.Operations.ToList();
        var named = operations.FindIndex(line => line.StartsWith("rename", StringComparison.Ordinal)
            && line.EndsWith(FileNames.TableSuffix, StringComparison.Ordinal));
        var recorded = operations.FindIndex(named, line => line.StartsWith(Manifest("sync"), StringComparison.Ordinal)
            && line.EndsWith(FileNames.ManifestSuffix, StringComparison.Ordinal));
        var gone = operations.FindIndex(line => line.Split(' ') is ["delete" or "rename", var path, ..]
            && path.EndsWith(FileNames.SegmentSuffix, StringComparison.Ordinal));
        Assert.True(gone > recorded, operations[gone]);
    }

    [Fact]
    public void SegmentAndItsNameAreSyncedBeforeUse()
    {
        using (var machine = _database.Open(Database.Small, new EngineSeams(_storage)))
            NumberedLog.ApplyUpTo(machine, 2000);
        var operations = _storage.Operations.ToList();
        var made = operations.Where(line => line.StartsWith("create", StringComparison.Ordinal)
            && line.EndsWith(".wal.tmp", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(made);
        foreach (var create in made)
        {
            var temporary = create["create ".Length..];
            var name = temporary[..^FileNames.TemporarySuffix.Length];
            AssertFollows(
                operations, operations.IndexOf(create), $"allocate {temporary}", $"write {temporary}",
                $"sync {temporary}", $"rename {temporary} -> {name}", "sync directory db");
            var renamed = operations.IndexOf($"rename {temporary} -> {name}");
            Assert.DoesNotContain($"write {temporary}", operations.Skip(renamed));
        }
    }

    [Fact]
    public void OpenSyncsDirectoryOfNewSegment()
    {
        // Until an open returns there is one thread, so that here what follows is what comes next.
        using (var machine = _database.Open(Database.Small, new EngineSeams(_storage)))
            NumberedLog.ApplyUpTo(machine, 10);
        var operations = _storage.Operations.ToList();
        var segment = operations.FindIndex(line => line.StartsWith("rename", StringComparison.Ordinal)
            && line.EndsWith(FileNames.SegmentSuffix, StringComparison.Ordinal));
        Assert.Equal("sync directory db", operations[segment + 1]);
        var currents = Enumerable.Range(0, segment).Where(i => operations[i] == "create db/CURRENT.tmp").ToList();
        Assert.Equal(2, currents.Count);
        foreach (var current in currents)
        {
            Assert.Equal("sync directory db", operations[current - 1]);
            Assert.StartsWith("sync db/", operations[current - 2], StringComparison.Ordinal);
            Assert.EndsWith(FileNames.ManifestSuffix, operations[current - 2], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void OpenSyncsTornSegmentBeforeItsSuccessor()
    {
        using (var machine = _database.Open()) NumberedLog.ApplyUpTo(machine, 100);
        _database.DropCloseMarker();
        var path = _database.LastSegment();
        Database.Flip(path, Database.Records(path)[^1].Offset + 40);
        using (var machine = _database.Open(Database.Small, new EngineSeams(_storage)))
            Assert.True(machine.GetStatistics().TornTailBytes > 0);

        var operations = _storage.Operations.ToList();
        var taken = operations.FindIndex(line => line.StartsWith("rename", StringComparison.Ordinal)
            && line.EndsWith(FileNames.SegmentSuffix, StringComparison.Ordinal));
        AssertFollows(operations, taken, "sync directory db", $"sync db/{Path.GetFileName(path)}", "sync db/");
        Assert.Equal($"sync db/{Path.GetFileName(path)}", operations[taken + 2]); // an open is one thread
    }

    [Fact]
    public void CloseSyncsLog()
    {
        int before;
        string segment;
        using (var machine = _database.Open(Database.Small, new EngineSeams(_storage)))
        {
            NumberedLog.ApplyUpTo(machine, 10);
            segment = $"sync db/{Path.GetFileName(_database.LastSegment())}";
            before = _storage.Operations.Count;
        }

        Assert.Contains(_storage.Operations.Skip(before), line => line.StartsWith(segment, StringComparison.Ordinal));
    }

    [Fact]
    public async Task RecycledSegmentGetsNewHeaderUnderTemporaryName()
    {
        if (!StorageOfTests.IsLinux) return; // elsewhere nothing is recycled
        using (var machine = _database.Open(
            Database.Small with { IdleAfter = Timeout.InfiniteTimeSpan }, new EngineSeams(_storage)))
        {
            for (var round = 1UL; round <= 4; round++)
            {
                NumberedLog.ApplyUpTo(machine, round * 1_000);
                await machine.CompactAsync();
            }
        }

        var operations = _storage.Operations.ToList();
        var hidden = operations.FindIndex(line =>
            line.StartsWith("rename", StringComparison.Ordinal) && line.EndsWith(".wal.tmp", StringComparison.Ordinal));
        Assert.True(hidden >= 0, string.Join('\n', operations));
        var temporary = operations[hidden].Split(" -> ")[1];
        var header = "sync " + operations[hidden].Split(' ')[1]; // a file keeps the name it was opened under
        AssertFollows(
            operations, hidden, "sync directory db", header, $"rename {temporary} -> {temporary[..^4]}",
            "sync directory db");
    }

    [Fact]
    public async Task SnapshotIsNamedAfterItsSync()
    {
        using var machine = _database.Open(Database.Small, new EngineSeams(_storage));
        NumberedLog.ApplyUpTo(machine, 600);
        await machine.CompactAsync();
        NumberedLog.ApplyUpTo(machine, 620);
        await machine.GenerateSnapshotDataAsync(Path.Combine(_database.Root, "snapshot"), machine.LastApplied);

        var operations = _storage.Operations.ToList();
        var named = operations.FindIndex(line => line.StartsWith("rename", StringComparison.Ordinal)
            && line.EndsWith("-> snapshot", StringComparison.Ordinal));
        var building = operations[named].Split(' ')[1];
        var parts =
            operations.Take(named).Where(line => line.Contains(building + "/", StringComparison.Ordinal)).ToList();
        Assert.Contains(parts, line => line.StartsWith("link", StringComparison.Ordinal));
        foreach (var created in parts.Where(line => line.StartsWith("create", StringComparison.Ordinal)))
            Assert.True(parts.LastIndexOf("sync "
                + created["create ".Length..]) > parts.LastIndexOf("write " + created["create ".Length..]), created);
        var lastPart = operations.FindLastIndex(
            named - 1, line => line.Contains(building + "/", StringComparison.Ordinal));
        AssertFollows(
            operations, lastPart, $"sync directory {building}", $"rename {building} -> snapshot", "sync directory .");
        Assert.DoesNotContain(operations.Skip(named + 1), line => line.Contains(building, StringComparison.Ordinal)
            || line.Contains(" snapshot/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task InstallSyncsAndNamesTablesBeforeItsManifestRecord()
    {
        var snapshot = Path.Combine(_database.Root, "snapshot");
        var metadata = await FailedSyncTests.MakeSnapshot(snapshot, 400);
        using (var machine = _database.Open(Database.Small, new EngineSeams(_storage)))
        {
            NumberedLog.ApplyUpTo(machine, 30);
            await machine.ApplySnapshotFromFileAsync(metadata, snapshot);
        }

        var operations = _storage.Operations.ToList();
        var named = operations.FindIndex(line => line.StartsWith("rename db/staging-", StringComparison.Ordinal));
        Assert.True(named >= 0);
        var staged = operations[named].Split(' ')[1];
        Assert.InRange(
            operations.LastIndexOf("sync " + staged), operations.LastIndexOf("write " + staged) + 1, named - 1);
        AssertFollows(operations, named, "sync directory db", Manifest("write"), Manifest("sync"));
        AssertEveryManifestWriteIsSynced(operations);

        // Nothing of the old state goes before the switch.
        var switched = operations.FindIndex(named, line => line.StartsWith(Manifest("sync"), StringComparison.Ordinal)
            && line.EndsWith(FileNames.ManifestSuffix, StringComparison.Ordinal));
        Assert.DoesNotContain(
            operations.Skip(named).Take(switched - named),
            line => line.StartsWith("delete", StringComparison.Ordinal)
                && !line.Contains("staging", StringComparison.Ordinal)
                && !line.EndsWith(".tmp", StringComparison.Ordinal));
    }

    private static string Manifest(string operation) => operation + " db/0";

    /// <summary>
    /// The lines come in this order after a line, with anything between them; each is the beginning of one.
    /// </summary>
    private static void AssertFollows(List<string> operations, int at, params ReadOnlySpan<string> lines)
    {
        foreach (var line in lines)
        {
            var wanted = line;
            var isManifest = line.EndsWith(" db/0", StringComparison.Ordinal);
            var next = operations.FindIndex(at + 1, operation => operation.StartsWith(wanted, StringComparison.Ordinal)
                && (!isManifest || operation.EndsWith(FileNames.ManifestSuffix, StringComparison.Ordinal)));
            Assert.True(
                next > at, $"no '{line}' after '{operations[at]}' in\n{string.Join('\n', operations.Skip(at))}");
            at = next;
        }
    }

    private static void AssertTablesAreSyncedBeforeTheirNames(List<string> operations)
    {
        foreach (var line in operations.Where(line => line.StartsWith("rename", StringComparison.Ordinal)
            && line.EndsWith(FileNames.TableSuffix, StringComparison.Ordinal)))
        {
            var temporary = line.Split(' ')[1];
            Assert.InRange(
                operations.LastIndexOf("sync " + temporary), operations.LastIndexOf("write " + temporary) + 1,
                operations.IndexOf(line) - 1);
        }
    }

    private static void AssertEveryManifestWriteIsSynced(List<string> operations)
    {
        for (var i = 0; i < operations.Count; i++)
            if (operations[i].StartsWith("write", StringComparison.Ordinal)
                && operations[i].EndsWith(FileNames.ManifestSuffix, StringComparison.Ordinal))
                Assert.True(operations.IndexOf("sync" + operations[i]["write".Length..], i) > i, operations[i]);
    }

    private static void AssertNothingIsDeletedBeforeTheManifestSaysSo(List<string> operations, string suffix)
    {
        var first = operations.FindIndex(line =>
            line.StartsWith("delete", StringComparison.Ordinal) && line.EndsWith(suffix, StringComparison.Ordinal));
        if (first < 0) return;
        var lastName = operations.FindLastIndex(first, line => line.StartsWith("rename", StringComparison.Ordinal)
            && line.EndsWith(suffix, StringComparison.Ordinal));
        AssertFollows(operations[..first], lastName, "sync directory db", Manifest("write"), Manifest("sync"));
    }
}
