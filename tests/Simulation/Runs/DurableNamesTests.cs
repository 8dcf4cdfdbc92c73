using Varve.Background;
using Varve.Tests.Engine.Recovery;
using Varve.Tests.Shared.Disk;
using Varve.Tests.Simulation.Lives;
using Xunit;

namespace Varve.Tests.Simulation.Runs;

/// <summary>
/// Acknowledged data survives a power loss under the path that it was acknowledged for: every directory above it is
/// durable too.
/// </summary>
public sealed class DurableNamesTests : IDisposable
{
    private readonly SimFs _disk = new() { IsCached = false };
    private readonly Journal _journal;

    public DurableNamesTests() => _journal = _disk.Record();

    public void Dispose() => _disk.Dispose();

    [Fact]
    public void DatabaseInNewDirectoriesSurvivesPowerLoss()
    {
        using (var machine = Open("/a/b/c")) NumberedLog.ApplyUpTo(machine, 20);
        AssertKept("/a/b/c", 20);
    }

    [Fact]
    public void DatabaseSurvivesPowerLossAfterFailedParentSync()
    {
        _disk.CreateDirectory("/data");
        _disk.SyncDirectory("/");
        _disk.Faults.Before = (call, _) =>
        {
            if (call == SimCall.SyncDirectory) throw new IOException("injected");
        };
        Assert.Throws<IOException>(() => Open("/data/db"));
        _disk.Faults.Before = null;
        using (var machine = Open("/data/db")) NumberedLog.ApplyUpTo(machine, 20);
        AssertKept("/data/db", 20);
    }

    [Fact]
    public async Task SnapshotInNewDirectoriesSurvivesPowerLoss()
    {
        using var machine = Open("/a/b/c");
        NumberedLog.ApplyUpTo(machine, 20);
        await machine.GenerateSnapshotDataAsync("/x/y/z", machine.LastApplied);
        using var after = Lost();
        Assert.NotEmpty(after.List("/x/y/z"));
    }

    private LsmStateMachine Open(string directory) =>
        LsmStateMachine.Open(
            directory, Life.Options with { Durability = Durability.Power },
            new EngineSeams(_disk, new ManualScheduler()));

    private void AssertKept(string directory, ulong index)
    {
        using var after = Lost();
        using var machine = LsmStateMachine.Open(
            directory, Life.Options with { ReadOnly = true }, new EngineSeams(after, new ManualScheduler()));
        Assert.Equal(index, NumberedLog.AssertIsWholeToRead(machine));
    }

    /// <summary>The disk after a power loss that took all that was not durable.</summary>
    private SimFs Lost()
    {
        var unsynced = new UnsyncedDisk();
        foreach (var happened in _journal.Events) unsynced.Apply(happened);
        var point = new CrashPoint(unsynced);
        var after = new SimFs { IsCached = false };
        after.Load(point.Build(new int[point.Doubts.Count], new CrashImage()));
        return after;
    }
}
