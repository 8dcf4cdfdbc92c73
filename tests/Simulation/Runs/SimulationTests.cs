using Varve.Tests.Shared;
using Varve.Tests.Shared.Disk;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Simulation.Runs;

/// <summary>Each soak for a moment.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    [Fact]
    public Task PowerLossLeavesStateOfOneIndex() => PowerLoss.Run(new Soak(output.WriteLine, "--states", "50000"));

    /// <summary>Always the same, so that who meets a bug here always meets it: tests/Seeded asks.</summary>
    [Fact]
    public Task FixedLivesRecoverExactly() =>
        PowerLoss.Run(new Soak(output.WriteLine, "--states", "30000", "--seed", "1"));

    [Fact]
    public Task ShortLivesRecoverFromEveryCrashState() =>
        Exhaustive.Run(new Soak(output.WriteLine, "--every", "29", "--ways", "300"));

    [Fact]
    public Task RecoveryInterruptedThriceIsExact() =>
        RecoveryCrash.Run(new Soak(output.WriteLine, "--states", "5000"));

    [Fact]
    public Task ErrorAtKthCallLosesNothingAcknowledged() =>
        KthError.Run(new Soak(output.WriteLine, "--every", "41"));

    /// <summary>
    /// Half an edit stays in the manifest when its write fails, and half of a reset is all of it: the rest is zeros.
    /// </summary>
    [Fact]
    public void UnwrittenEditIsRolledBack()
    {
        var k = 0;
        while (KthError.Fail(0, Durability.Process, SimFault.NoSpace, k).IsInjected) k++;
        Assert.True(k > 100, $"only {k} calls");
    }

    [Fact]
    public Task ReadersBesideWriterShowStateOfOneIndex() =>
        ReadersAtCalls.Run(new Soak(output.WriteLine, "--every", "3", "--lives", "3"));

    [Fact]
    public Task FullDiskIsOrdinaryError() => DiskFull.Run(new Soak(output.WriteLine, "--cycles", "50"));
}
