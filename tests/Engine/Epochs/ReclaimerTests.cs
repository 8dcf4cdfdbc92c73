using Varve.Epochs;
using Varve.Format;
using Varve.Versions;
using Xunit;

namespace Varve.Tests.Engine.Epochs;

/// <summary>Retired resources are released once, in order, and only when nothing can see them.</summary>
public class ReclaimerTests
{
    private readonly EpochTable _pins = new();
    private readonly Reclaimer _reclaimer;

    public ReclaimerTests() => _reclaimer = new Reclaimer(_pins);

    [Fact]
    public void NothingIsFreedUnderPin()
    {
        var released = new List<int>();
        _reclaimer.Retire(() => released.Add(1));
        _pins.Enter();
        _reclaimer.Retire(() => released.Add(2));
        _reclaimer.Retire(() => released.Add(3));
        Assert.Equal(1, _reclaimer.FreeRetired());
        Assert.Equal([1], released);
        Assert.Equal(2, _reclaimer.Pending);
        _pins.Exit();
        Assert.Equal(2, _reclaimer.FreeRetired());
        Assert.Equal([1, 2, 3], released);
        Assert.Equal(0, _reclaimer.FreeRetired());
        Assert.Equal([1, 2, 3], released);
    }

    [Fact]
    public void HeldVersionWaitsForItsHoldAndBlocksNothing()
    {
        var (first, second) = (MakeVersion(), MakeVersion());
        var (a, b) = (new TestHold(), new TestHold());
        _reclaimer.Holds.Add(a);
        _reclaimer.Holds.Add(b);
        a.Begin(first);
        b.Begin(first);
        _reclaimer.Retire(first);
        _reclaimer.Retire(second);
        Assert.Equal(1, _reclaimer.FreeRetired());
        Assert.Equal((0, 1), (_reclaimer.Pending, _reclaimer.Held));
        Assert.False(second.TryAcquire());
        a.End();
        a.Begin(MakeVersion());
        Assert.Equal(0, _reclaimer.FreeRetired());
        b.End();
        Assert.Equal(1, _reclaimer.FreeRetired());
        Assert.False(first.TryAcquire());
        Assert.Equal(0, _reclaimer.Held);
    }

    [Fact]
    public void FailedReleaseIsReportedAndBlocksNoOther()
    {
        var released = 0;
        _reclaimer.Retire(() => throw new IOException("munmap"));
        _reclaimer.Retire(() => released++);
        var failure = Assert.Throws<AggregateException>(() => _reclaimer.FreeRetired());
        Assert.IsType<IOException>(Assert.Single(failure.InnerExceptions));
        Assert.Equal(1, released);
        Assert.Equal(0, _reclaimer.Pending);
    }

    [Fact]
    public void ReleaseMayRetireMore()
    {
        var released = 0;
        _reclaimer.Retire(() => _reclaimer.Retire(() => released++));
        while (_reclaimer.Pending != 0) _reclaimer.FreeRetired();
        Assert.Equal(1, released);
    }

    [Fact]
    public void ResourcesAreDisposed()
    {
        var resource = new MemoryStream();
        _reclaimer.Retire(resource);
        Assert.True(resource.CanRead);
        _reclaimer.FreeRetired();
        Assert.False(resource.CanRead);
    }

    private static DbVersion MakeVersion()
    {
        var nothing = MachineState.Empty(0, StoredLeaseClock.Local);
        return new(new StateGeneration(nothing, 16), [], [], nothing);
    }

    private sealed class TestHold : Hold
    {
        public new void Begin(RefCounted resource) => base.Begin(resource);

        public new void End() => base.End();
    }
}
