using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Leases;

/// <summary>
/// Expired leases that no clean-up reports are dropped after the retention, at the same point on all replicas of a log.
/// </summary>
public sealed class ExpiredLeaseRetentionTests
{
    [Theory]
    [InlineData(LeaseClock.Log)]
    [InlineData(LeaseClock.Local)]
    public void CompactionDropsLeaseBeyondRetentionUnreported(LeaseClock clock)
    {
        using var machine = new LeaseMachine(
            Database.Small with { LeaseClock = clock, ExpiredLeaseRetention = TimeSpan.FromSeconds(60) });
        machine.Put("old", ttl: 10, stamp: 1_000);
        machine.Put("new", ttl: 11, stamp: 1_000);
        machine.Apply(Command.Noop, stamp: 71_000);
        machine.Advance(70);
        machine.Compact();
        Assert.Equal(1, machine.Rows());
        Assert.Equal(0, machine.Live());
        Assert.Equal("new", machine.CleanUp());
    }

    [Fact]
    public void ReplicasReportSameLeasesAtSameIndexDespiteCompactions()
    {
        var options =
            Database.Small with { LeaseClock = LeaseClock.Log, ExpiredLeaseRetention = TimeSpan.FromSeconds(60) };
        using var compacts = new LeaseMachine(options);
        using var keeps = new LeaseMachine(options);
        foreach (var machine in new[] { compacts, keeps })
        {
            for (var i = 0; i < 20; i++) machine.Put($"k{i * 7 % 20:d2}", ttl: (ulong)i + 1, stamp: 1_000);
            machine.Apply(Command.Noop, stamp: 61_000);
            if (machine == compacts) machine.Compact();
            machine.Apply(Command.Noop, stamp: 71_000);
            if (machine == compacts) machine.Compact();
        }

        Assert.Equal(10, compacts.Rows());
        var reported = compacts.CleanUp();
        Assert.Equal(10, reported.Split(' ').Length);
        Assert.Equal(reported, keeps.CleanUp());
    }

    [Fact]
    public void UnboundedRetentionKeepsLeasesUntilReported()
    {
        using var machine = new LeaseMachine(
            Database.Small with { LeaseClock = LeaseClock.Log, ExpiredLeaseRetention = Timeout.InfiniteTimeSpan });
        machine.Put("k", ttl: 10, stamp: 1_000);
        machine.Apply(Command.Noop, stamp: 1UL << 60);
        machine.Compact();
        Assert.Equal("k", machine.CleanUp());
        machine.Compact();
        Assert.Equal(0, machine.Rows());
    }

    [Fact]
    public void InvalidRetentionIsRefusedByOptionName()
    {
        using var database = new Database();
        var refused = Assert.Throws<ArgumentOutOfRangeException>(
            () => database.Open(Database.Small with { ExpiredLeaseRetention = TimeSpan.FromSeconds(-5) }));
        Assert.Contains(nameof(EngineOptions.ExpiredLeaseRetention), refused.Message, StringComparison.Ordinal);
    }
}
