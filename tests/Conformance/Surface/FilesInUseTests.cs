using Varve.Storage;

namespace Varve.Tests.Conformance.Surface;

/// <summary>A file that somebody still has mapped cannot be deleted on NTFS: it stays until it can be, and nothing fails for it.</summary>
public sealed class FilesInUseTests : DirectoryTest
{
    private readonly NtfsLikeStorage storage = new(new PortableStorage());
    private ulong index;

    private EngineOptions Options => TinyEngineMachines.Shrunk(new EngineOptions { HistoryEntries = 0, IdleAfter = Timeout.InfiniteTimeSpan }) with { Storage = storage };

    [Fact]
    public async Task AnOpenLeavesTablesThatAViewOfAClosedEngineStillReads()
    {
        var first = LsmStateMachine.Open(PathOf("db"), Options);
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

        using (var second = LsmStateMachine.Open(PathOf("db"), Options))
        {
            Assert.Subset(Tables(), held);
            Assert.Contains(storage.Refused, line => line.StartsWith("delete", StringComparison.Ordinal));
            Apply(second, 200);
            await second.CompactAsync();
            close.Release();
            reader.Join();
            Assert.Equal(200, seen);
            Assert.Equal(600, second.Count);
            Assert.Null(second.GetStatistics().Fault);
        }

        using var third = LsmStateMachine.Open(PathOf("db"), Options);
        Assert.Equal(third.GetStatistics().Runs.Sum(run => run.Tables), Tables().Count);
        Assert.Equal(600, third.Count);
    }

    [Fact]
    public async Task ASnapshotIsMadeInstalledAndDroppedBesideAReader()
    {
        using var machine = LsmStateMachine.Open(PathOf("db"), Options);
        Apply(machine, 300);
        await machine.CompactAsync();
        Apply(machine, 20);
        using var reader = LsmStateMachine.Open(PathOf("db"), Options with { ReadOnly = true });
        var metadata = new SnapshotMetadata(machine.LastApplied, await machine.GenerateSnapshotDataAsync(PathOf("snapshot"), machine.LastApplied));
        await machine.ApplySnapshotFromFileAsync(metadata, PathOf("snapshot"));
        await machine.ResetAsync();
        await machine.ApplySnapshotFromFileAsync(metadata, PathOf("snapshot"));
        Assert.Equal((320, 320), (machine.Count, reader.Count));
        Assert.Equal(320, reader.ScanPrefix([]).Entries.Count);
        Assert.Null(machine.GetStatistics().Fault);
    }

    private void Apply(LsmStateMachine machine, int count)
    {
        for (var i = 0; i < count; i++)
        {
            index++;
            machine.ApplyChunk([new ApplyEntry(index, 1, Command.Insert(System.Text.Encoding.ASCII.GetBytes($"key-{index:D6}"), new byte[100]))], new ApplyResult[1]);
        }
    }

    private HashSet<string> Tables() => [.. Directory.GetFiles(PathOf("db"), "*" + FileNames.TableSuffix)];
}
