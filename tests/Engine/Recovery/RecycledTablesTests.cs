using System.Security.Cryptography;
using Varve.Background;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>Tables that were merged away are written over; what somebody may still read is not.</summary>
public sealed class RecycledTablesTests : IDisposable
{
    private readonly Database _database = new();
    private readonly ManualScheduler _steps = new();
    private readonly FaultInjector _storage;

    public RecycledTablesTests() => _storage = new FaultInjector(Storages.Default, _database.Root);

    private EngineOptions Options => Database.Small with { UpperRunsMax = 2 };

    private EngineSeams Seams => new(_storage, _steps);

    private int TakenOver => _storage.Operations.Count(line => line.StartsWith("take over", StringComparison.Ordinal));

    public void Dispose() => _database.Dispose();

    [Fact]
    public void TableIsWrittenOverMergedTable()
    {
        using (var machine = _database.Open(Options, Seams))
        {
            ApplyRounds(machine);
            Assert.True(TakenOver > 0 || !StorageOfTests.IsLinux);
            NumberedLog.AssertIsWhole(machine);
        }

        using var reopened = _database.Open(Options, Seams);
        NumberedLog.AssertIsWhole(reopened);
        var named = reopened.GetStatistics().Runs.Sum(run => run.Tables);
        Assert.Equal(named, _database.Files(FileNames.TableSuffix).Length); // a close leaves no spare ones
    }

    [Fact]
    public void NoTablesAreRecycledWithoutBudget()
    {
        using var machine = _database.Open(Options with { SpareTableBytes = 0 }, Seams);
        ApplyRounds(machine);
        Assert.Equal(0, TakenOver);
    }

    [Fact]
    public async Task SnapshotFilesAreNeverOverwritten()
    {
        using var machine = _database.Open(Options, Seams);
        ApplyRounds(machine);
        var snapshot = Path.Combine(_database.Root, "snapshot");
        var id = machine.LastApplied;
        var cut = machine.GenerateSnapshotDataAsync(snapshot, id);
        _steps.Run();
        var metadata = new SnapshotMetadata(id, await cut);
        var before = Hashes(snapshot);
        ApplyRounds(machine);
        ApplyRounds(machine);
        Assert.Equal(before, Hashes(snapshot));

        using var other = new Database();
        using var second = other.Open();
        await second.ApplySnapshotFromFileAsync(metadata, snapshot);
        Assert.Equal(id.Index, NumberedLog.AssertIsWhole(second));
    }

    [Fact]
    public void TablesAreNotOverwrittenWhileReaderIsOpen()
    {
        using var machine = _database.Open(Options, Seams);
        ApplyRounds(machine);
        var before = TakenOver;
        using (var reader = _database.Open(Database.Small with { ReadOnly = true }))
        {
            ApplyRounds(machine);
            Assert.Equal(before, TakenOver);
            Assert.True(reader.LastApplied.Index < machine.LastApplied.Index);
        }

        ApplyRounds(machine);
        Assert.True(TakenOver > before || !StorageOfTests.IsLinux);
    }

    private static string[] Hashes(string directory) =>
        [.. Directory.GetFiles(directory).Order(StringComparer.Ordinal).Select(
            path => $"{Path.GetFileName(path)} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)))}")];

    /// <summary>Enough of them for flushes after merges.</summary>
    private void ApplyRounds(LsmStateMachine machine)
    {
        for (var round = 0; round < 12; round++)
        {
            NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 150);
            _steps.Run();
        }
    }
}
