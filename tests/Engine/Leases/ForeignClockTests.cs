using Xunit;

namespace Varve.Tests.Engine.Leases;

/// <summary>
/// A snapshot of a machine whose clock is another does not move the local clock, and the count, the clean-up and the
/// leases are right by it.
/// </summary>
public sealed class ForeignClockTests
{
    [Fact]
    public void SnapshotFromMachineAheadDoesNotFreezeLocalTime()
    {
        using var ahead = new LeaseMachine();
        ahead.Advance(3_600);
        ahead.Put("k", ttl: 1);
        ahead.Advance(5);
        Assert.Equal("k", ahead.CleanUp());
        Assert.Equal(0, ahead.Live());
        ahead.Compact();
        using var machine = new LeaseMachine();
        machine.Install(ahead.Snapshot());
        machine.Put("b", ttl: 1);
        machine.Advance(60);
        Assert.False(machine.Has("b"));
        Assert.Equal("b", machine.CleanUp());
        Assert.Equal(0, machine.Live());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LeaseReportedByOtherMachineStaysExpired(bool isInTables)
    {
        using var ahead = new LeaseMachine();
        ahead.Advance(30);
        ahead.Put("reported", ttl: 1);
        ahead.Put("kept", ttl: 100);
        if (isInTables) ahead.Compact();
        ahead.Advance(2);
        Assert.Equal("reported", ahead.CleanUp());
        using var machine = new LeaseMachine();
        machine.Install(ahead.Snapshot());
        for (var round = 0; round < 3; round++)
        {
            Assert.False(machine.Has("reported"));
            Assert.True(machine.Has("kept"));
            Assert.Equal(1, machine.Live());
            machine.Reopen();
        }

        machine.Compact();
        Assert.Equal(1, machine.Rows());
        machine.Advance(60);
        Assert.Equal("", machine.CleanUp());
        machine.Advance(80);
        Assert.Equal("kept", machine.CleanUp());
    }

    [Fact]
    public void LeaseExpiredOnlyOnOtherMachineIsLiveAndCounted()
    {
        using var ahead = new LeaseMachine();
        ahead.Advance(30);
        ahead.Put("k", ttl: 10);
        ahead.Put("plain");
        ahead.Advance(10);
        Assert.Equal(1, ahead.Live());
        ahead.Compact();
        Assert.Equal(1, ahead.Live());
        using var machine = new LeaseMachine();
        machine.Install(ahead.Snapshot());
        Assert.Equal(2, machine.Live());
        machine.Reopen();
        Assert.Equal(2, machine.Live());
        machine.Advance(40);
        Assert.Equal(1, machine.Live());
        Assert.Equal("k", machine.CleanUp());
    }

    [Fact]
    public void SnapshotFromMachineBehindIsCountedByLocalTime()
    {
        using var behind = new LeaseMachine();
        behind.Put("k", ttl: 10);
        behind.Put("plain");
        Assert.Equal(2, behind.Live());
        using var machine = new LeaseMachine();
        machine.Advance(30);
        machine.Install(behind.Snapshot());
        Assert.Equal(1, machine.Live());
        Assert.Equal("k", machine.CleanUp());
    }

    [Fact]
    public void CountIsRightAfterClockIsSetBackWhileClosed()
    {
        using var machine = new LeaseMachine();
        machine.Put("a", ttl: 10);
        machine.Put("b", ttl: 20);
        machine.Put("c", ttl: 30);
        machine.Advance(25);
        Assert.Equal(1, machine.Live());
        machine.Compact(); // the manifest has the count of this time
        Assert.Equal(1, machine.Live());
        machine.Reopen(setBack: 10);
        Assert.Equal(2, machine.Live());
        machine.Reopen(setBack: 10);
        Assert.Equal(3, machine.Live());
        machine.Compact();
        machine.Advance(20);
        Assert.Equal(1, machine.Live());
        Assert.Equal("a b", machine.CleanUp());
    }
}
