using Varve.Epochs;
using Xunit;

namespace Varve.Tests.Engine.Epochs;

/// <summary>Pins hold exactly the retirements that they can see.</summary>
public class EpochTableTests
{
    private readonly EpochTable _pins = new();

    [Fact]
    public void UnpinnedRetirementIsSafeAtOnce()
    {
        Assert.True(_pins.IsSafe(_pins.Retire()));
        Assert.Equal(0, _pins.ActivePins);
    }

    [Fact]
    public void PinHoldsRetirementsUntilExit()
    {
        _pins.Enter();
        var stamp = _pins.Retire();
        Assert.False(_pins.IsSafe(stamp));
        Assert.Equal(1, _pins.ActivePins);
        _pins.Exit();
        Assert.True(_pins.IsSafe(stamp));
        Assert.Equal(0, _pins.ActivePins);
    }

    [Fact]
    public void PinDoesNotHoldEarlierRetirements()
    {
        var stamp = _pins.Retire();
        _pins.Enter();
        Assert.True(_pins.IsSafe(stamp));
        _pins.Exit();
    }

    [Fact]
    public void InnerPinNeitherRenewsNorEndsOuterPin()
    {
        _pins.Enter();
        var stamp = _pins.Retire();
        _pins.Enter();
        Assert.False(_pins.IsSafe(stamp));
        _pins.Exit();
        Assert.False(_pins.IsSafe(stamp));
        Assert.Equal(1, _pins.ActivePins);
        _pins.Exit();
        Assert.True(_pins.IsSafe(stamp));
    }

    [Fact]
    public void ExtraExitIsRefusedAndNextPinHolds()
    {
        Assert.Throws<InvalidOperationException>(_pins.Exit);
        _pins.Enter();
        Assert.False(_pins.IsSafe(_pins.Retire()));
        _pins.Exit();
        Assert.Throws<InvalidOperationException>(_pins.Exit);
    }

    [Fact]
    public void StampsAscendAndOldestEpochIsOldestPins()
    {
        var first = _pins.Retire();
        var second = _pins.Retire();
        Assert.True(second > first);
        Assert.Equal(_pins.CurrentEpoch, _pins.OldestEpoch);
        _pins.Enter();
        var pinnedAt = _pins.CurrentEpoch;
        _pins.Retire();
        _pins.Retire();
        Assert.Equal(pinnedAt, _pins.OldestEpoch);
        Assert.Equal(pinnedAt, _pins.SafeBelow());
        _pins.Exit();
        Assert.Equal(_pins.CurrentEpoch, _pins.OldestEpoch);
    }

    [Fact]
    public void PinsOfOneTableDoNotHoldOthers()
    {
        var other = new EpochTable();
        _pins.Enter();
        Assert.True(other.IsSafe(other.Retire()));
        _pins.Exit();
    }

    [Fact]
    public void MoreThreadsThanSlotsAreAllSeen()
    {
        const int threads = 50;
        using var entered = new CountdownEvent(threads);
        using var leave = new ManualResetEventSlim();
        var all = Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            _pins.Enter();
            entered.Signal();
            leave.Wait();
            _pins.Exit();
        })).ToArray();
        foreach (var thread in all) thread.Start();
        entered.Wait();
        var stamp = _pins.Retire();
        Assert.Equal(threads, _pins.ActivePins);
        Assert.False(_pins.IsSafe(stamp));
        leave.Set();
        foreach (var thread in all) thread.Join();
        Assert.Equal(0, _pins.ActivePins);
        Assert.True(_pins.IsSafe(stamp));
    }

    [Fact]
    public void LivingThreadsHaveDistinctOrdinals()
    {
        const int threads = 32;
        var numbers = new int[threads];
        using var together = new Barrier(threads);
        var all = Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            numbers[i] = ThreadOrdinal.Current;
            together.SignalAndWait();
            Assert.Equal(numbers[i], ThreadOrdinal.Current);
        })).ToArray();
        foreach (var thread in all) thread.Start();
        foreach (var thread in all) thread.Join();
        Assert.Equal(threads, numbers.Distinct().Count());
        Assert.DoesNotContain(0, numbers);
    }

    [Fact]
    public void EnterAndExitAllocateNothingAfterFirstUse()
    {
        _pins.Enter();
        _pins.Exit();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
        {
            _pins.Enter();
            _pins.Exit();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
