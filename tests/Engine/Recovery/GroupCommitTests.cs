using Varve.Background;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>A sync covers what it captured, and nothing that is appended while it runs.</summary>
public sealed class GroupCommitTests : IDisposable
{
    private readonly Database _database = new();

    [Fact]
    public async Task SegmentThatEndedDuringSyncIsSyncedAgain()
    {
        var storage = new FaultInjector(Storages.Default);
        var synced = new List<string>();
        var parked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var release = new ManualResetEventSlim();
        using var machine = _database.Open(
            Database.Small with { Durability = Durability.Power }, new EngineSeams(storage));
        var segment = _database.LastSegment();
        storage.Before = (operation, path) =>
        {
            // A file keeps the name it was made under.
            if (operation != "sync" || !path.StartsWith(segment, StringComparison.Ordinal)) return;
            lock (synced) synced.Add(path);
            if (parked.TrySetResult()) release.Wait();
        };

        var first = machine.ApplyChunkAsync(NumberedLog.Chunk(1, 5)).AsTask();
        await parked.Task;
        var rest = new List<Task>();
        for (ulong next = 6; _database.LastSegment() == segment; next += 20)
            rest.Add(machine.ApplyChunkAsync(NumberedLog.Chunk(next, 20)).AsTask());
        Assert.Equal(0UL, machine.LastApplied.Index);
        release.Set();
        await Task.WhenAll([first, .. rest]);

        Assert.True(synced.Count >= 2, "what the segment took during the first sync was acknowledged without one");
        Assert.Equal(machine.LastApplied, machine.DurableLogId);
        storage.Before = null;
        NumberedLog.AssertIsWhole(machine);
    }

    [Fact]
    public async Task WaitingChunksShareSyncs()
    {
        using var machine = _database.Open(
            Database.Small with { Durability = Durability.Power, MemtableBytes = 1 << 20 });
        var before = machine.GetStatistics().Syncs;
        var waiting = new List<Task>();
        for (ulong next = 1; next <= 400; next += 2)
            waiting.Add(machine.ApplyChunkAsync(NumberedLog.Chunk(next, 2)).AsTask());
        await Task.WhenAll(waiting);
        Assert.Equal(400UL, NumberedLog.AssertIsWhole(machine));
        Assert.InRange(machine.GetStatistics().Syncs - before, 1, 200);
    }

    public void Dispose() => _database.Dispose();
}
