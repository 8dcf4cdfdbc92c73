using Varve.Epochs;
using Varve.Format;
using Varve.Versions;
using Xunit;

namespace Varve.Tests.Engine.Versions;

/// <summary>Retired resources are released once, in order, and only when nothing can see them.</summary>
public class ReclaimerTests
{
    private readonly EpochTable pins = new();
    private readonly Reclaimer reclaimer;

    public ReclaimerTests() => reclaimer = new Reclaimer(pins);

    [Fact]
    public void NothingIsReleasedUnderAPin()
    {
        var released = new List<int>();
        reclaimer.Retire(() => released.Add(1));
        pins.Enter();
        reclaimer.Retire(() => released.Add(2));
        reclaimer.Retire(() => released.Add(3));
        Assert.Equal(1, reclaimer.Collect());
        Assert.Equal([1], released);
        Assert.Equal(2, reclaimer.Pending);
        pins.Exit();
        Assert.Equal(2, reclaimer.Collect());
        Assert.Equal([1, 2, 3], released);
        Assert.Equal(0, reclaimer.Collect());
        Assert.Equal([1, 2, 3], released);
    }

    [Fact]
    public void AVersionThatIsHeldWaitsForItsHoldAndHoldsUpNothing()
    {
        var (first, second) = (MakeVersion(), MakeVersion());
        var (a, b) = (new TestHold(), new TestHold());
        reclaimer.Holds.Add(a);
        reclaimer.Holds.Add(b);
        a.Begin(first);
        b.Begin(first);
        reclaimer.Retire(first);
        reclaimer.Retire(second);
        Assert.Equal(1, reclaimer.Collect());
        Assert.Equal((0, 1), (reclaimer.Pending, reclaimer.Held));
        Assert.False(second.TryAcquire());
        a.End();
        a.Begin(MakeVersion());
        Assert.Equal(0, reclaimer.Collect());
        b.End();
        Assert.Equal(1, reclaimer.Collect());
        Assert.False(first.TryAcquire());
        Assert.Equal(0, reclaimer.Held);
    }

    [Fact]
    public void AReleaseThatFailsDoesNotHoldUpTheOthersAndIsReported()
    {
        var released = 0;
        reclaimer.Retire(() => throw new IOException("munmap"));
        reclaimer.Retire(() => released++);
        var failure = Assert.Throws<AggregateException>(() => reclaimer.Collect());
        Assert.IsType<IOException>(Assert.Single(failure.InnerExceptions));
        Assert.Equal(1, released);
        Assert.Equal(0, reclaimer.Pending);
    }

    [Fact]
    public void AReleaseMayRetireMore()
    {
        var released = 0;
        reclaimer.Retire(() => reclaimer.Retire(() => released++));
        while (reclaimer.Pending != 0) reclaimer.Collect();
        Assert.Equal(1, released);
    }

    [Fact]
    public void ResourcesAreDisposed()
    {
        var resource = new MemoryStream();
        reclaimer.Retire(resource);
        Assert.True(resource.CanRead);
        reclaimer.Collect();
        Assert.False(resource.CanRead);
    }

    private static DbVersion MakeVersion()
    {
        var nothing = MachineState.Empty(0, StoredLeaseClock.Local);
        return new(new StateGeneration(nothing, 16), [], [], nothing);
    }

    private sealed class TestHold : VersionHold
    {
        public void Begin(DbVersion version) => base.Hold(version);

        public void End() => LetGo();
    }
}
