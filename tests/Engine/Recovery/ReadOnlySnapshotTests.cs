using Varve.Background;
using Varve.Format;
using Varve.Snapshots;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// A read-only engine makes snapshots of its state beside a writer, and writes nothing to the database.
/// </summary>
public sealed class ReadOnlySnapshotTests : IDisposable
{
    private readonly Database _database = new();

    public void Dispose() => _database.Dispose();

    [Fact]
    public async Task SnapshotByReaderChangesNothingInDatabase()
    {
        using var writer = _database.Open();
        NumberedLog.ApplyUpTo(writer, 600);
        await writer.CompactAsync();
        NumberedLog.ApplyUpTo(writer, 640);
        var storage = new FaultInjector(Storages.Default);
        using var reader = _database.Open(Database.Small with { ReadOnly = true }, new EngineSeams(storage));
        var touched = new List<string>();
        storage.Before = (operation, path) =>
        {
            if (path.StartsWith(_database.Directory, StringComparison.Ordinal)
                && operation is not ("open" or "read" or "map"))
                touched.Add($"{operation} {path}");
        };
        var target = Path.Combine(_database.Root, "snapshot");
        var metadata = new SnapshotMetadata(
            reader.LastApplied, await reader.GenerateSnapshotDataAsync(target, reader.LastApplied));
        Assert.Empty(touched);
        NumberedLog.ApplyUpTo(writer, 2_000);
        await AssertInstalls(target, metadata);
    }

    [Fact]
    public async Task TailTableDoesNotJoinDatabase()
    {
        using (var writer = _database.Open()) NumberedLog.ApplyUpTo(writer, 40);
        using var reader = _database.Open(Database.Small with { ReadOnly = true });
        var target = Path.Combine(_database.Root, "snapshot");
        await reader.GenerateSnapshotDataAsync(target, reader.LastApplied);
        Assert.True(SnapshotManifestCodec.TryDecode(
            SnapshotFiles.ReadManifestFile(Storages.Default, target), out var manifest, out _));
        // Its number is one that the writer will give to another.
        Assert.NotEqual(manifest.DatabaseId, Assert.Single(manifest.Tables).Table.Origin);
    }

    [Fact]
    public async Task TablesDeletedByWriterAreCopied()
    {
        using var writer = _database.Open();
        NumberedLog.ApplyUpTo(writer, 600);
        await writer.CompactAsync();
        using var reader = _database.Open(Database.Small with { ReadOnly = true });
        var before = _database.Files(FileNames.TableSuffix);
        NumberedLog.ApplyUpTo(writer, 1_200);
        await writer.CompactAsync();
        if (StorageOfTests.IsPosix) // elsewhere the reader's mappings keep them
            Waiting.Until(() => !_database.Files(FileNames.TableSuffix).Intersect(before).Any());
        var target = Path.Combine(_database.Root, "snapshot");
        var metadata = new SnapshotMetadata(
            reader.LastApplied, await reader.GenerateSnapshotDataAsync(target, reader.LastApplied));
        Assert.Equal(600UL, metadata.LastIncluded.Index);
        await AssertInstalls(target, metadata);
    }

    private async Task AssertInstalls(string target, SnapshotMetadata metadata)
    {
        using var other = LsmStateMachine.Open(Path.Combine(_database.Root, "other"), Database.Small);
        await other.ApplySnapshotFromFileAsync(metadata, target);
        Assert.Equal(metadata.LastIncluded.Index, NumberedLog.AssertIsWholeToRead(other));
    }
}
