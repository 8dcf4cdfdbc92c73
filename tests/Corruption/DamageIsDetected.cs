using Varve.Tests.Corruption.Golden;
using Varve.Tests.Shared;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Corruption;

/// <summary>
/// Corruption is reported: whatever happens to stored bytes, no wrong value is ever read. Short runs of the soaks.
/// </summary>
public sealed class DamageIsDetected(ITestOutputHelper output)
{
    [Fact]
    public async Task FlippedBitsAreDetected()
    {
        using var golden = await GoldenDatabase.BuildAsync(Durability.Power, close: false);
        var tally = new BitFlips(
            Short("--every", "64"), golden, [.. Regions.OfDatabase(golden), .. Regions.OfSnapshot(golden)]).Run();
        tally.Print(output.WriteLine);
        Assert.True(tally.Total >= (8 << 20) / 64);
        Assert.True(tally.Of(Verdict.Open) > 0 && tally.Of(Verdict.Read) > 0 && tally.Of(Verdict.Verify) > 0
            && tally.Of(Verdict.Harmless) > 0 && tally.Of(Verdict.Gap) > 0);
    }

    [Fact]
    public async Task TruncatedAndGrownFilesAreDetected()
    {
        using var golden = await GoldenDatabase.BuildAsync(Durability.Power, close: false);
        new Truncations(Short("--every", "1000"), golden).Run().Print(output.WriteLine);
    }

    [Theory]
    [InlineData(Durability.Power)]
    [InlineData(Durability.Process)]
    public async Task ZeroedAndSwappedPagesAndSectorsAreDetected(Durability durability)
    {
        using var golden = await GoldenDatabase.BuildAsync(durability, close: false);
        new Pages(Short("--pairs", "600"), golden).Run().Print(output.WriteLine);
    }

    [Theory]
    [InlineData(Durability.Power, false)]
    [InlineData(Durability.Process, false)]
    [InlineData(Durability.Power, true)]
    public async Task MissingSwappedForeignAndOldFilesAreDetected(Durability durability, bool close)
    {
        using var golden = await GoldenDatabase.BuildAsync(durability, close);
        using var stranger = await GoldenDatabase.BuildAsync(Durability.Power, close: false);
        new WholeFiles(Short(), golden, stranger).Run().Print(output.WriteLine);
    }

    private Soak Short(params string[] arguments) => new(output.WriteLine, arguments);
}
