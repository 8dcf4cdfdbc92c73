using Varve.Format;
using Varve.Versions;
using Xunit;
using EngineVersion = Varve.Versions.Version;

namespace Varve.Tests.Engine.Versions;

/// <summary>A version for every index within the kept number of entries, and no longer.</summary>
public class HistoryListTests
{
    private readonly Reclaimer reclaimer = new(new PinTable());

    [Fact]
    public void AnIndexIsAnsweredByTheNewestVersionWhoseTablesAreNotBeyondIt()
    {
        var list = new HistoryList(100, long.MaxValue, reclaimer);
        EngineVersion[] past = [At(0), At(10), At(20)];
        foreach (var version in past) list.AddLocked(version);
        var current = At(30);
        Assert.Same(current, list.AcquireLocked(current, 30));
        Assert.Same(past[2], list.AcquireLocked(current, 29));
        Assert.Same(past[2], list.AcquireLocked(current, 20));
        Assert.Same(past[1], list.AcquireLocked(current, 19));
        Assert.Same(past[0], list.AcquireLocked(current, 9));
    }

    [Fact]
    public void WhatNoCutNeedsIsLetGo()
    {
        var list = new HistoryList(5, long.MaxValue, reclaimer);
        EngineVersion[] past = [At(0), At(10), At(20)];
        foreach (var version in past)
        {
            list.AddLocked(version);
            version.Release();
        }

        var current = At(30);
        list.TrimLocked(current, lastApplied: 34);
        reclaimer.Collect();
        Assert.False(past[0].TryAcquire());
        Assert.False(past[1].TryAcquire());
        Assert.Null(list.AcquireLocked(current, 19));
        Assert.Same(past[2], list.AcquireLocked(current, 29));

        list.TrimLocked(current, lastApplied: 35);
        Assert.Null(list.AcquireLocked(current, 29));
        Assert.Same(current, list.AcquireLocked(current, 30));
    }

    [Fact]
    public void ClearingForgetsAll()
    {
        var list = new HistoryList(1000, long.MaxValue, reclaimer);
        var past = At(0);
        list.AddLocked(past);
        past.Release();
        list.ClearLocked();
        reclaimer.Collect();
        Assert.False(past.TryAcquire());
        Assert.Null(list.AcquireLocked(At(10), 5));
    }

    private static EngineVersion At(ulong index)
    {
        var state = new MachineState { LastIndex = index };
        return new EngineVersion(new Incarnation(state, 64), [], [], state);
    }
}
