using Varve.Epochs;
using Xunit;

namespace Varve.Tests.Engine.Versions;

/// <summary>What a pin holds and what it does not.</summary>
public class EpochTableTests
{
    private readonly EpochTable pins = new();

    [Fact]
    public void WhatNobodyPinsIsSafeAtOnce()
    {
        Assert.True(pins.IsSafe(pins.Retire()));
        Assert.Equal(0, pins.ActivePins);
    }

    [Fact]
    public void APinHoldsWhatIsRetiredUnderItAndLetsGoAtExit()
    {
        pins.Enter();
        var stamp = pins.Retire();
        Assert.False(pins.IsSafe(stamp));
        Assert.Equal(1, pins.ActivePins);
        pins.Exit();
        Assert.True(pins.IsSafe(stamp));
        Assert.Equal(0, pins.ActivePins);
    }

    [Fact]
    public void APinDoesNotHoldWhatWasRetiredBeforeIt()
    {
        var stamp = pins.Retire();
        pins.Enter();
        Assert.True(pins.IsSafe(stamp));
        pins.Exit();
    }

    [Fact]
    public void AnInnerPinNeitherRenewsNorEndsTheOuterOne()
    {
        pins.Enter();
        var stamp = pins.Retire();
        pins.Enter();
        Assert.False(pins.IsSafe(stamp));
        pins.Exit();
        Assert.False(pins.IsSafe(stamp));
        Assert.Equal(1, pins.ActivePins);
        pins.Exit();
        Assert.True(pins.IsSafe(stamp));
    }

    [Fact]
    public void AnExitTooManyIsRefusedAndTheNextPinStillHolds()
    {
        Assert.Throws<InvalidOperationException>(pins.Exit);
        pins.Enter();
        Assert.False(pins.IsSafe(pins.Retire()));
        pins.Exit();
        Assert.Throws<InvalidOperationException>(pins.Exit);
    }

    [Fact]
    public void StampsAscendAndTheOldestEpochIsThatOfTheOldestPin()
    {
        var first = pins.Retire();
        var second = pins.Retire();
        Assert.True(second > first);
        Assert.Equal(pins.CurrentEpoch, pins.OldestEpoch);
        pins.Enter();
        var pinnedAt = pins.CurrentEpoch;
        pins.Retire();
        pins.Retire();
        Assert.Equal(pinnedAt, pins.OldestEpoch);
        Assert.Equal(pinnedAt, pins.SafeBelow());
        pins.Exit();
        Assert.Equal(pins.CurrentEpoch, pins.OldestEpoch);
    }

    [Fact]
    public void PinsOfOneTableDoNotHoldAnother()
    {
        var other = new EpochTable();
        pins.Enter();
        Assert.True(other.IsSafe(other.Retire()));
        pins.Exit();
    }

    [Fact]
    public void MoreThreadsThanSlotsAreAllSeen()
    {
        const int threads = 50;
        using var entered = new CountdownEvent(threads);
        using var leave = new ManualResetEventSlim();
        var all = Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            pins.Enter();
            entered.Signal();
            leave.Wait();
            pins.Exit();
        })).ToArray();
        foreach (var thread in all) thread.Start();
        entered.Wait();
        var stamp = pins.Retire();
        Assert.Equal(threads, pins.ActivePins);
        Assert.False(pins.IsSafe(stamp));
        leave.Set();
        foreach (var thread in all) thread.Join();
        Assert.Equal(0, pins.ActivePins);
        Assert.True(pins.IsSafe(stamp));
    }

    [Fact]
    public void ADeadThreadsPinStaysAndItsNumberIsHandedOutAgain()
    {
        var stamp = 0L;
        OnThread(() =>
        {
            pins.Enter();
            stamp = pins.Retire();
        });

        var highest = 0;
        for (var round = 0; round < 200; round++)
        {
            OnThread(() => highest = Math.Max(highest, ThreadOrdinal.Current));
            if (round % 20 == 0) Collect();
            OnThread(() =>
            {
                pins.Enter();
                pins.Exit();
            });
        }

        Assert.False(pins.IsSafe(stamp));
        Assert.Equal(1, pins.ActivePins);
        Assert.True(highest < 200, $"400 threads, one after the other, took {highest} numbers");
    }

    [Fact]
    public void NoTwoLivingThreadsShareANumber()
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
    public void EnterAndExitAllocateNothingAfterTheFirstUse()
    {
        pins.Enter();
        pins.Exit();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
        {
            pins.Enter();
            pins.Exit();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static void OnThread(Action action)
    {
        var thread = new Thread(() => action());
        thread.Start();
        thread.Join();
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
