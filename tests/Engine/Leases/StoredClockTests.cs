using Varve.Inspection;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Leases;

/// <summary>The lease clock is a property of the database: the other one opens nothing and installs nothing.</summary>
public sealed class StoredClockTests
{
    [Theory]
    [InlineData(LeaseClock.Local, LeaseClock.Log, false)]
    [InlineData(LeaseClock.Log, LeaseClock.Local, false)]
    [InlineData(LeaseClock.Log, LeaseClock.Local, true)]
    public void OpenWithOtherClockIsRefusedByBothNames(
        LeaseClock own, LeaseClock other, bool isReadOnly)
    {
        using var database = new Database();
        var options = Database.Small with { LeaseClock = own };
        using (var machine = database.Open(options)) machine.ApplyChunk(
            [new ApplyEntry(1, 1, Command.Insert("k"u8.ToArray(), "v"u8.ToArray(), 10), 1_000)], new ApplyResult[1]);
        var before = Contents(database);
        var refused = Assert.Throws<ArgumentException>(
            () => database.Open(options with { LeaseClock = other, ReadOnly = isReadOnly }));
        Assert.Contains(own.ToString(), refused.Message, StringComparison.Ordinal);
        Assert.Contains(other.ToString(), refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, Contents(database));
        using (var machine = database.Open(options)) Assert.Equal(1UL, machine.LastApplied.Index);
    }

    [Theory]
    [InlineData(LeaseClock.Local, LeaseClock.Log)]
    [InlineData(LeaseClock.Log, LeaseClock.Local)]
    public async Task InstallWithOtherClockIsRefusedByBothNames(LeaseClock own, LeaseClock other)
    {
        using var maker = new LeaseMachine(Database.Small with { LeaseClock = other });
        maker.Put("theirs", ttl: 10, stamp: 1_000);
        var (metadata, path) = maker.Snapshot();
        using var machine = new LeaseMachine(Database.Small with { LeaseClock = own });
        machine.Put("ours");
        var refused = await Assert.ThrowsAsync<SnapshotRejectedException>(
            () => machine.Engine.ApplySnapshotFromFileAsync(metadata, path));
        Assert.Contains(own.ToString(), refused.Message, StringComparison.Ordinal);
        Assert.Contains(other.ToString(), refused.Message, StringComparison.Ordinal);
        Assert.True(machine.Has("ours"));
        Assert.Null(machine.Engine.GetStatistics().Fault);
    }

    [Fact]
    public async Task ResetAndInstallKeepClock()
    {
        var options = Database.Small with { LeaseClock = LeaseClock.Log };
        using var maker = new LeaseMachine(options);
        maker.Put("k", ttl: 10, stamp: 1_000);
        using var machine = new LeaseMachine(options);
        machine.Put("k", stamp: 1_000);
        await machine.Engine.ResetAsync();
        machine.Reopen();
        machine.Install(maker.Snapshot());
        machine.Reopen();
        machine.Advance(100);
        Assert.True(machine.Has("k"));
        machine.Apply(Command.Noop, stamp: 11_000);
        Assert.False(machine.Has("k"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ToolOpensWithDatabaseClockSoCompactionKeepsLiveKeys(bool isReadOnly)
    {
        using var database = new Database();
        var options = Database.Small with { LeaseClock = LeaseClock.Log, ExpiredLeaseRetention = TimeSpan.Zero };
        using (var machine = database.Open(options)) machine.ApplyChunk(
            [new ApplyEntry(1, 1, Command.Insert("k"u8.ToArray(), "v"u8.ToArray(), 10), 1_000)], new ApplyResult[1]);
        using (var tool = database.Open(
            options with { LeaseClock = LeaseClock.Local, TakesStoredLeaseClock = true, ReadOnly = isReadOnly }))
        {
            Assert.NotNull(tool.Get("k"u8));
            if (!isReadOnly) await tool.CompactAsync();
        }

        using (var machine = database.Open(options)) Assert.NotNull(machine.Get("k"u8));
    }

    [Fact]
    public async Task RepairWithoutManifestUsesGivenClock()
    {
        using var database = new Database();
        var options = Database.Small with { LeaseClock = LeaseClock.Log };
        using (var machine = database.Open(options))
        {
            machine.ApplyChunk(
                [new ApplyEntry(1, 1, Command.Insert("k"u8.ToArray(), "v"u8.ToArray(), 10), 1_000)],
                new ApplyResult[1]);
            await machine.CompactAsync();
        }

        foreach (var manifest in database.Files(FileNames.ManifestSuffix)) File.Delete(manifest);
        var output = Path.Combine(database.Root, "repaired");
        Repair.Run(Storages.Default, database.Directory, output, lostClock: LeaseClock.Log);
        using var repaired = LsmStateMachine.Open(output, options);
        Assert.NotNull(repaired.Get("k"u8));
    }

    /// <summary>Names and lengths, and the bytes of the small files.</summary>
    private static string[] Contents(Database database) =>
        [.. Directory.GetFiles(database.Directory).Order(StringComparer.Ordinal)
            .Select(path => $"{path} {new FileInfo(path).Length} {HashOf(path)}")];

    private static string HashOf(string path) =>
        path.EndsWith(FileNames.Lock, StringComparison.Ordinal)
            ? ""
            : Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)));
}
