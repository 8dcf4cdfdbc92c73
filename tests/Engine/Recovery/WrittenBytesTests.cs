using Varve.Format;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>Every written byte is counted by its purpose.</summary>
public sealed class WrittenBytesTests : IDisposable
{
    private readonly Database _database = new();

    public void Dispose() => _database.Dispose();

    [Fact]
    public async Task WrittenBytesAreCountedBySource()
    {
        using var machine = _database.Open();
        Assert.Equal(0, machine.GetStatistics().WriteAmplification);
        var opened = machine.GetStatistics().ManifestBytes;
        NumberedLog.ApplyUpTo(machine, 4_000);
        await machine.CompactAsync();
        var settled = machine.GetStatistics();
        Assert.InRange(settled.ManifestBytes, opened + 1, long.MaxValue);
        Assert.InRange(settled.FlushBytes, 1, long.MaxValue);
        Assert.InRange(settled.CompactionBytes, 1, long.MaxValue);
        Assert.Equal(0, settled.SnapshotBytes);
        Assert.Equal(
            (settled.WalBytes + settled.FlushBytes + settled.CompactionBytes
                + settled.ManifestBytes) / (double)settled.WalBytes,
            settled.WriteAmplification);
    }

    [Fact]
    public async Task SnapshotCountsOnlyBytesNotLinked()
    {
        using var machine = _database.Open();
        NumberedLog.ApplyUpTo(machine, 4_000);
        await machine.CompactAsync();
        NumberedLog.ApplyUpTo(machine, 4_010);
        var path = Path.Combine(_database.Root, "snapshot");
        var checksum = await machine.GenerateSnapshotDataAsync(path, machine.LastApplied);
        var made = machine.GetStatistics().SnapshotBytes;
        var all = Directory.GetFiles(path).Sum(file => new FileInfo(file).Length);
        Assert.InRange(made, 1, StorageOfTests.IsPosix ? all - 1 : all);

        using var other = new Database();
        using var second = other.Open();
        await second.ApplySnapshotFromFileAsync(new SnapshotMetadata(machine.LastApplied, checksum), path);
        var tables = Directory.GetFiles(path, "*" + SnapshotNames.TableExtension)
            .Sum(file => new FileInfo(file).Length);
        Assert.InRange(second.GetStatistics().SnapshotBytes, tables, all);
    }
}
