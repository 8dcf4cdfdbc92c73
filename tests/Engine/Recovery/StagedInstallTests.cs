using System.IO.Hashing;
using Varve.Background;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// A process that dies anywhere between staging and install leaves the old state or the new one, each with its mark,
/// and the next open leaves no file of the other.
/// </summary>
public sealed class StagedInstallTests : IDisposable
{
    private const ulong SourceIndex = 300;
    private const ulong OwnIndex = 40;

    private readonly Database _source = new(scheduler: new ManualScheduler());
    private readonly Database _database = new();
    private readonly ManualScheduler _steps = new();
    private readonly FaultInjector _storage;

    public StagedInstallTests() => _storage = new FaultInjector(Storages.Default, _database.Root);

    private EngineSeams Seams => new(_storage, _steps);

    private string Snapshot => Path.Combine(_database.Root, "snapshot");

    public void Dispose()
    {
        _database.Dispose();
        _source.Dispose();
    }

    [Fact]
    public async Task KillAtAnyCallLeavesOldOrNewStateWithItsMark()
    {
        var metadata = MakeSnapshot();
        var copies = new List<Database>();
        using (var engine = _database.Open(seams: Seams))
        {
            ApplyMarked(engine, OwnIndex);
            _steps.Run();
            _storage.Before = (_, _) => copies.Add(_database.Copy());
            await using var staged = await engine.StageSnapshotAsync(metadata, Snapshot);
            staged.Install();
            _storage.Before = null;
            Assert.Equal(SourceIndex, AssertIsWholeAndMarked(engine));
            copies.Add(_database.Copy());
        }

        Assert.True(copies.Count > 20, $"{copies.Count} calls");
        var installed = copies.Select(copy => OpenAfterKill(copy) == SourceIndex).ToList();
        Assert.Equal(installed.Order(), installed); // one call is the switch
        Assert.False(installed[0]);
        Assert.True(installed[^1]);
    }

    [Fact]
    public async Task LinkBesideCompactionHasTableThatWasAskedFor()
    {
        using var engine = _database.Open(Database.Small, Seams);
        ApplyMarked(engine, OwnIndex);
        Compact(engine);
        await engine.CreateSnapshotAsync(Snapshot);
        var file = SnapshotDirectory.Open(Snapshot).Files.Single();
        _storage.Before = (operation, _) =>
        {
            if (operation != "link") return;
            // The table is merged away, and its file is deleted or written over if nobody holds it.
            _storage.Before = null;
            for (var round = 1UL; round <= 3; round++)
            {
                ApplyMarked(engine, OwnIndex * (round + 1));
                Compact(engine);
            }
        };
        var link = Path.Combine(_database.Root, "link");
        if (!engine.TryLinkSnapshotFile(file, link))
        {
            Assert.False(OperatingSystem.IsLinux(), "the table was there when it was asked for");
            return;
        }

        Assert.Null(_storage.Before);
        Assert.Equal(file.Hash.ToArray(), XxHash128.Hash(File.ReadAllBytes(link)));
        Assert.DoesNotContain(
            engine.GetStatistics().Runs, run => run.Bytes == file.Length && run.Tables == 1); // retired
    }

    private static ulong OpenAfterKill(Database killed)
    {
        using var engine = killed.Open(seams: new EngineSeams(Scheduler: new ManualScheduler()));
        var index = AssertIsWholeAndMarked(engine);
        Assert.True(index is OwnIndex or SourceIndex, $"entry {index} is neither before nor after");
        Assert.Empty(Directory.GetDirectories(killed.Directory));
        Assert.Equal(engine.GetStatistics().Runs.Sum(run => run.Tables), killed.Files(FileNames.TableSuffix).Length);
        return index;
    }

    private SnapshotMetadata MakeSnapshot()
    {
        using var source = _source.Open();
        ApplyMarked(source, SourceIndex);
        return source.CreateSnapshotAsync(Snapshot).GetAwaiter().GetResult();
    }

    private void Compact(LsmStateMachine engine)
    {
        var done = engine.CompactAsync();
        while (!done.IsCompleted) _steps.Run();
        done.GetAwaiter().GetResult();
    }

    /// <summary>Applies chunks up to an index, each with its last index as the mark.</summary>
    private static void ApplyMarked(LsmStateMachine engine, ulong last)
    {
        for (var next = engine.LastApplied.Index + 1; next <= last; next += 20)
            engine.ApplyChunk(NumberedLog.Chunk(next, 20), new ApplyResult[20], BitConverter.GetBytes(next + 19));
    }

    private static ulong AssertIsWholeAndMarked(LsmStateMachine engine)
    {
        var index = NumberedLog.AssertIsWhole(engine);
        var mark = new byte[sizeof(ulong)];
        Assert.Equal(mark.Length, engine.ReadMark(mark));
        Assert.Equal(index, BitConverter.ToUInt64(mark));
        return index;
    }
}
