using Varve.Background;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Leases;

/// <summary>
/// A clean-up reports each expired lease once, and a reported lease is never live again, however the clock moves.
/// </summary>
public sealed class ReportedOnceTests
{
    [Fact]
    public void ReportedLeaseStaysAbsentAfterClockIsSetBack()
    {
        using var machine = new LeaseMachine();
        machine.Put("k", ttl: 10);
        machine.Advance(11);
        Assert.Equal("k", machine.CleanUp());
        machine.Reopen(setBack: 6);
        Assert.False(machine.Has("k"));
        Assert.Equal(0, machine.Live());
        Assert.True(machine.Apply(Command.CompareAndSwap("k"u8.ToArray(), null, "w"u8.ToArray())));
        machine.Advance(60);
        Assert.True(machine.Has("k"));
        Assert.Equal("", machine.CleanUp());
    }

    [Fact]
    public void ReportedLeaseStaysAbsentAfterCleanUpIsFlushed()
    {
        using var machine = new LeaseMachine();
        machine.Put("k", ttl: 10);
        machine.Compact();
        machine.Advance(11);
        Assert.Equal("k", machine.CleanUp());
        machine.Put("other");
        machine.Compact();
        machine.Reopen(setBack: 6);
        Assert.False(machine.Has("k"));
        Assert.Equal(1, machine.Live());
    }

    [Fact]
    public void LeasesMadeAfterClockWasSetBackAreReported()
    {
        using var machine = new LeaseMachine();
        machine.Put("k", ttl: 10);
        machine.Advance(3_600);
        Assert.Equal("k", machine.CleanUp());
        machine.Reopen(setBack: 3_500);
        machine.Put("new", ttl: 1);
        machine.Advance(60);
        Assert.False(machine.Has("new"));
        Assert.Equal("new", machine.CleanUp());
        Assert.Equal("", machine.CleanUp());
    }

    [Fact]
    public void LocalTimeStandsStillOnlyUpToReportedLeases()
    {
        using var machine = new LeaseMachine();
        machine.Put("k", ttl: 10);
        machine.Advance(3_600);
        Assert.Equal("k", machine.CleanUp());
        Assert.Equal("", machine.CleanUp()); // nothing to report: nothing that time would have to wait for
        machine.Reopen(setBack: 3_500);
        machine.Put("new", ttl: 50);
        machine.Advance(49);
        Assert.True(machine.Has("new"));
        machine.Advance(1);
        Assert.False(machine.Has("new"));
    }

    [Theory]
    [InlineData(LeaseClock.Log, false)]
    [InlineData(LeaseClock.Log, true)]
    [InlineData(LeaseClock.Local, false)]
    [InlineData(LeaseClock.Local, true)]
    public void CompactionBeforeCleanUpHidesNoExpiredLease(LeaseClock clock, bool reopens)
    {
        using var machine = new LeaseMachine(Database.Small with { LeaseClock = clock });
        machine.Put("j", ttl: 1, stamp: 1_000);
        machine.Put("k", ttl: 1, stamp: 1_000);
        machine.Apply(Command.Noop, stamp: 60_000);
        machine.Advance(60);
        Assert.Equal(0, machine.Live());
        machine.Compact();
        if (reopens) machine.Reopen();
        Assert.Equal(2, machine.Rows());
        Assert.Equal("j k", machine.CleanUp());
        Assert.Equal("", machine.CleanUp());
        machine.Compact();
        Assert.Equal(0, machine.Rows());
        Assert.Equal(0, machine.Live());
    }

    [Fact]
    public void BackgroundCompactionHidesNoExpiredLease()
    {
        var steps = new ManualScheduler();
        using var machine = new LeaseMachine(Database.Small with
        {
            LeaseClock = LeaseClock.Log,
            UpperRunsMax = 2,
            BottomMergeRatio = 0.05
        }, new EngineSeams(Scheduler: steps));
        for (var i = 0; i < 50; i++) machine.Put($"lease{i:d2}", ttl: 1, stamp: 1_000);
        for (var i = 0; i < 2_000; i++)
        {
            machine.Apply(Command.Insert(new[] { (byte)'p', (byte)(i % 250) }, new byte[200]), stamp: 60_000);
            if (i % 100 == 0) steps.Run();
        }

        steps.Run();
        Assert.InRange(machine.Engine.GetStatistics().Compactions, 2, long.MaxValue);
        Assert.Equal(50, machine.CleanUp().Split(' ').Length);
    }

    [Fact]
    public void SnapshotBeforeCleanUpKeepsLeasesToReport()
    {
        using var maker = new LeaseMachine(Database.Small with { LeaseClock = LeaseClock.Log, HistoryEntries = 100 });
        maker.Put("k", ttl: 1, stamp: 1_000);
        maker.Put("j", ttl: 9, stamp: 5_000);
        maker.Apply(Command.Noop, stamp: 20_000);
        var cut = maker.Engine.LastApplied.Index;
        maker.Put("k");
        Assert.Equal("j", maker.CleanUp());
        using var replica = new LeaseMachine(Database.Small with { LeaseClock = LeaseClock.Log });
        replica.Install(maker.Snapshot(cut));
        Assert.Equal("j k", replica.CleanUp());
    }

    [Fact]
    public void PowerMakesReportDurableBeforeReturning()
    {
        var storage = new FaultInjector(Varve.Storage.Storages.Default);
        using var machine = new LeaseMachine(
            Database.Small with { Durability = Durability.Power }, new EngineSeams(storage));
        machine.Put("k", ttl: 1);
        machine.Advance(2);
        var syncs = 0;
        var log = machine.LastSegment();
        // A file keeps the name it was made under.
        storage.Before =
            (operation, path) => syncs += operation == "sync" && path.StartsWith(log, StringComparison.Ordinal) ? 1 : 0;
        Assert.Equal("k", machine.CleanUp());
        storage.Before = null;
        Assert.NotEqual(0, syncs);
    }

    [Fact]
    public async Task LeaseAwaitingSyncIsReportedByLaterCleanUp()
    {
        var storage = new FaultInjector(Varve.Storage.Storages.Default);
        using var release = new ManualResetEventSlim();
        var parked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var machine = new LeaseMachine(
            Database.Small with { Durability = Durability.Power }, new EngineSeams(storage));
        machine.Put("a", ttl: 1);
        machine.Advance(0.5);
        machine.Put("c", ttl: 3);
        machine.Advance(1.5);
        machine.Put("published");
        var log = machine.LastSegment();
        storage.Before = (operation, path) =>
        {
            if (operation != "sync" || !path.StartsWith(log, StringComparison.Ordinal)) return;
            parked.TrySetResult();
            release.Wait();
        };
        var entry = new ApplyEntry(
            machine.Engine.LastApplied.Index + 1, 1, Command.Insert("b"u8.ToArray(), "v"u8.ToArray(), ttlSeconds: 1));
        var waiting = machine.Engine.ApplyChunkAsync(new[] { entry }).AsTask();
        await parked.Task;
        machine.Advance(2); // a, b and c have expired; nobody may see b yet
        var first = machine.Engine.LeaseBackgroundCleanupAsync();
        release.Set();
        await waiting;
        var reported = (await first).Concat(await machine.Engine.LeaseBackgroundCleanupAsync());
        Assert.Equal(
            ["a", "b", "c"],
            reported.Select(key => System.Text.Encoding.UTF8.GetString(key.Span)).Order(StringComparer.Ordinal));
    }
}
