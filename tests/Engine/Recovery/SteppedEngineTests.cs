using Varve.Background;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>An engine whose background work is stepped by hand does all of it, and only when told.</summary>
public sealed class SteppedEngineTests
{
    [Fact]
    public void FlushHappensAtItsStepOnly()
    {
        using var database = new Database();
        var steps = new ManualScheduler();
        using (var machine = database.Open(Database.Small, new EngineSeams(Scheduler: steps)))
        {
            NumberedLog.ApplyUpTo(machine, 900);
            Assert.Equal(0, machine.GetStatistics().Flushes);
            Assert.True(steps.Run());
            Assert.True(machine.GetStatistics().Flushes > 0);
            Assert.False(steps.Run());
            NumberedLog.AssertIsWhole(machine);
        }

        Assert.False(steps.Run());
        using var reopened = database.Open();
        Assert.Equal(900UL, NumberedLog.AssertIsWhole(reopened));
    }

    [Fact]
    public async Task WaitersAreServedWithoutThread()
    {
        using var database = new Database();
        var steps = new ManualScheduler();
        using var machine = database.Open(
            Database.Small with { Durability = Durability.Power, SealedMemtablesMax = 1 },
            new EngineSeams(Scheduler: steps));
        await machine.ApplyChunkAsync(NumberedLog.Chunk(1, 20)).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        NumberedLog.ApplyUpTo(machine, 1500); // more segments than may wait: the applier steps itself
        var compaction = machine.CompactAsync();
        Assert.False(compaction.IsCompleted);
        steps.Run();
        await compaction.WaitAsync(TimeSpan.FromSeconds(30));
        NumberedLog.ApplyUpTo(machine, 1520);
        await machine.FlushAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1520UL, machine.DurableLogId.Index);
    }
}
