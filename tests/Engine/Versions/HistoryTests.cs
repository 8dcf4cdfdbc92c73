using Varve.Epochs;
using Varve.Format;
using Varve.Versions;
using Xunit;
using EngineVersion = Varve.Versions.DbVersion;

namespace Varve.Tests.Engine.Versions;

/// <summary>A version for every index within the kept number of entries, and no longer.</summary>
public class HistoryTests
{
    private readonly Reclaimer _reclaimer = new(new EpochTable());
    private readonly StateGeneration _generation = new(new MachineState(), 64);

    [Fact]
    public void IndexIsServedByNewestVersionWithTablesUpToIt()
    {
        var list = new History(100, long.MaxValue, _reclaimer);
        EngineVersion[] past = [At(0), At(10), At(20)];
        foreach (var version in past) list.Add(version);
        var current = At(30);
        Assert.Same(current, list.TryAcquire(current, 30));
        Assert.Same(past[2], list.TryAcquire(current, 29));
        Assert.Same(past[2], list.TryAcquire(current, 20));
        Assert.Same(past[1], list.TryAcquire(current, 19));
        Assert.Same(past[0], list.TryAcquire(current, 9));
    }

    [Fact]
    public void VersionsThatNoCutNeedsAreReleased()
    {
        var list = new History(5, long.MaxValue, _reclaimer);
        EngineVersion[] past = [At(0), At(10), At(20)];
        foreach (var version in past)
        {
            list.Add(version);
            version.Release();
        }

        var current = At(30);
        list.DropBehind(current.Base.LastIndex, lastApplied: 34);
        _reclaimer.FreeRetired();
        Assert.False(past[0].TryAcquire());
        Assert.False(past[1].TryAcquire());
        Assert.Null(list.TryAcquire(current, 19));
        Assert.Same(past[2], list.TryAcquire(current, 29));

        list.DropBehind(current.Base.LastIndex, lastApplied: 35);
        Assert.Null(list.TryAcquire(current, 29));
        Assert.Same(current, list.TryAcquire(current, 30));
    }

    [Fact]
    public void ClearDropsAllVersions()
    {
        var list = new History(1000, long.MaxValue, _reclaimer);
        var past = At(0);
        list.Add(past);
        past.Release();
        list.DropAll();
        _reclaimer.FreeRetired();
        Assert.False(past.TryAcquire());
        Assert.Null(list.TryAcquire(At(10), 5));
    }

    [Fact]
    public void HistoryOfOtherStateIsNotUsed()
    {
        var list = new History(1000, long.MaxValue, _reclaimer);
        list.Add(At(0));
        var other = new MachineState { LastIndex = 10 };
        Assert.Null(list.TryAcquire(new EngineVersion(new StateGeneration(other, 64), [], [], other), 5));
    }

    private EngineVersion At(ulong index) => new(_generation, [], [], new MachineState { LastIndex = index });
}
