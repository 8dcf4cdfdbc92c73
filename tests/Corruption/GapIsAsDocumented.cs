using Varve.Background;
using Varve.Format;
using Varve.Tests.Corruption.Golden;
using Varve.Tests.Shared;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Corruption;

/// <summary>Only damage in the gap that docs/DURABILITY.md describes can pass for a torn tail.</summary>
public sealed class GapIsAsDocumented(ITestOutputHelper output)
{
    [Fact]
    public async Task PowerLeavesOnlyLastRecordUnprotected()
    {
        using var golden = await GoldenDatabase.BuildAsync(Durability.Power, close: false);
        var measured = GapSoak.Run(Short("--every", "32"), golden, "Power, killed");
        var last = SegmentMap.Of(golden.Disk, GoldenDatabase.Directory).Records[^1];
        Assert.Equal(1, measured.Records);
        Assert.Equal(last.Header.Length * 8, measured.LogBits);
        Assert.Equal(last.Header.LastIndex - last.IndexBefore, measured.EntriesAtStake);
    }

    [Theory]
    [InlineData(Durability.Power)]
    [InlineData(Durability.Process)]
    public async Task CloseLeavesOnlyItsMarkerUnprotected(Durability durability)
    {
        using var golden = await GoldenDatabase.BuildAsync(durability, close: true);
        var measured = GapSoak.Run(Short("--every", "4"), golden, $"{durability}, closed");
        Assert.Equal(1, measured.Records);
        Assert.Equal(WalRecordHeader.Size * 8, measured.LogBits);
        Assert.Equal(0UL, measured.EntriesAtStake);
    }

    [Fact]
    public async Task ProcessLeavesEntriesSinceLastKnownSyncUnprotected()
    {
        using var golden = await GoldenDatabase.BuildAsync(Durability.Process, close: false);
        var measured = GapSoak.Run(Short("--every", "256"), golden, "Process, killed");
        var map = SegmentMap.Of(golden.Disk, GoldenDatabase.Directory);
        Assert.Equal(map.Records.Where(map.IsInGap).Sum(record => record.Header.Length * 8L), measured.LogBits);
        Assert.True(measured.Records > 1);
    }

    /// <summary>A database that is opened and closed without work must not grow by notes.</summary>
    [Fact]
    public async Task IdleOpenAppendsNoMarker()
    {
        using var golden = await GoldenDatabase.BuildAsync(Durability.Power, close: true);
        // No flush: the log stays.
        GoldenDatabase.RefuseTables(golden.Disk);
        var before = SegmentMap.Of(golden.Disk, GoldenDatabase.Directory).Records.Count;
        LsmStateMachine.Open(
            GoldenDatabase.Directory,
            GoldenDatabase.Options with { Durability = Durability.Power }, new EngineSeams(golden.Disk)).Dispose();
        Assert.Equal(before, SegmentMap.Of(golden.Disk, GoldenDatabase.Directory).Records.Count);
    }

    private Soak Short(params string[] arguments) => new(output.WriteLine, arguments);
}
