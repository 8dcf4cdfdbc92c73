using Varve.Background;
using Varve.Storage;

namespace Varve.Tests.Conformance.Surface;

/// <summary>
/// A file that somebody still has mapped cannot be deleted on NTFS: it stays until it can be, and nothing fails for it.
/// </summary>
public sealed class FilesInUseTests : DirectoryTest
{
    private readonly NtfsLikeStorage _storage = new(new PortableStorage());
    private ulong _index;

    private EngineOptions Options =>
        TinyEngineMachines.Shrunk(new EngineOptions { HistoryEntries = 0, IdleAfter = Timeout.InfiniteTimeSpan });

    private LsmStateMachine Open(EngineOptions options) =>
        LsmStateMachine.Open(PathOf("db"), options, new EngineSeams(_storage));

    [Fact]
    public async Task OpenKeepsTablesReadByViewOfClosedEngine()
    {
        var first = Open(Options);
        Apply(first, 200);
        await first.CompactAsync();
        var held = Tables();
        // The thread of the view does not go on: a view is used on the thread that opened it.
        using var opened = new SemaphoreSlim(0);
        using var close = new SemaphoreSlim(0);
        var seen = -1;
        var reader = new Thread(() =>
        {
            using var view = first.OpenView();
            opened.Release();
            close.Wait();
            seen = 0;
            foreach (var entry in view.ScanPrefix([])) seen++;
        });
        reader.Start();
        opened.Wait();
        Apply(first, 200);
        await first.CompactAsync();
        first.Dispose();
        Assert.Subset(Tables(), held);

        using (var second = Open(Options))
        {
            Assert.Subset(Tables(), held);
            Assert.Contains(_storage.Refused, line => line.StartsWith("delete", StringComparison.Ordinal));
            Apply(second, 200);
            await second.CompactAsync();
            close.Release();
            reader.Join();
            Assert.Equal(200, seen);
            Assert.Equal(600, second.Count);
            Assert.Null(second.GetStatistics().Fault);
        }

        using var third = Open(Options);
        Assert.Equal(third.GetStatistics().Runs.Sum(run => run.Tables), Tables().Count);
        Assert.Equal(600, third.Count);
    }

    [Fact]
    public async Task SnapshotIsMadeInstalledAndDroppedBesideReader()
    {
        using var machine = Open(Options);
        Apply(machine, 300);
        await machine.CompactAsync();
        Apply(machine, 20);
        using var reader = Open(Options with { ReadOnly = true });
        var metadata = new SnapshotMetadata(
            machine.LastApplied, await machine.GenerateSnapshotDataAsync(PathOf("snapshot"), machine.LastApplied));
        await machine.ApplySnapshotFromFileAsync(metadata, PathOf("snapshot"));
        await machine.ResetAsync();
        await machine.ApplySnapshotFromFileAsync(metadata, PathOf("snapshot"));
        Assert.Equal((320, 320), (machine.Count, reader.Count));
        Assert.Equal(320, reader.ScanPrefix([]).Entries.Count);
        Assert.Null(machine.GetStatistics().Fault);
    }

    [Fact]
    public async Task OpenKeepsTemporaryAndStagedFilesInUse()
    {
        using (var first = Open(Options))
        {
            Apply(first, 300);
            await first.CompactAsync();
        }

        Directory.CreateDirectory(PathOf("db/staging-000000000077"));
        string[] debris = ["db/CURRENT.tmp", "db/000000000900.wal.tmp", "db/staging-000000000077/part"];
        var inUse = debris.Select(name => _storage.Open(PathOf(name), FileIntent.CreateNew)).ToList();
        using (var second = Open(Options))
        {
            Apply(second, 300);
            await second.CompactAsync();
            Assert.Equal(600, second.Count);
            Assert.Null(second.GetStatistics().Fault);
        }

        Assert.All(debris, name => Assert.Contains($"delete {PathOf(name)}", _storage.Refused));
        Assert.All(debris, name => Assert.True(File.Exists(PathOf(name)), name));
        inUse.ForEach(file => file.Dispose());
        using var third = Open(Options);
        Assert.All(debris, name => Assert.False(File.Exists(PathOf(name)), name));
        Assert.Equal(600, third.Count);
    }

    [Fact]
    public async Task MappedSegmentOutlivesItsWriterUnderTemporaryName()
    {
        using (var reader = await RecycleUnderAReader())
        {
            Assert.NotEmpty(Temporaries());
            using (var second = Open(Options)) Apply(second, 200);
            Assert.NotEmpty(Temporaries());
            Assert.Equal(300, reader.ScanPrefix([]).Entries.Count);
        }

        using var third = Open(Options);
        Assert.Empty(Temporaries());
        Assert.Equal((long)_index, third.Count);
    }

    /// <summary>
    /// A reader of the first 300 entries, beside a writer that has flushed and recycled what they are in.
    /// </summary>
    private async Task<LsmStateMachine> RecycleUnderAReader()
    {
        using var writer = Open(Options);
        Apply(writer, 300);
        var reader = Open(Options with { ReadOnly = true });
        for (var round = 0; round < 5; round++)
        {
            Apply(writer, 1000);
            await writer.CompactAsync();
        }

        return reader;
    }

    private string[] Temporaries() => Directory.GetFiles(PathOf("db"), "*" + FileNames.TemporarySuffix);

    private void Apply(LsmStateMachine machine, int count)
    {
        for (var i = 0; i < count; i++)
        {
            _index++;
            machine.ApplyChunk(
                [new ApplyEntry(
                    _index, 1, Command.Insert(System.Text.Encoding.ASCII.GetBytes($"key-{_index:D6}"), new byte[100]))],
                new ApplyResult[1]);
        }
    }

    private HashSet<string> Tables() => [.. Directory.GetFiles(PathOf("db"), "*" + FileNames.TableSuffix)];
}
