using Varve.Tests.Crash.Children;
using Varve.Tests.Shared;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Crash.Power;

/// <summary>
/// An ext4 file system that is shut down under the engine leaves the state of one index: every acknowledged one under
/// <see cref="Durability.Power"/>, at least the durable one otherwise. Needs root and loop devices, and reports their
/// absence.
/// </summary>
public sealed class PowerCutTests(ITestOutputHelper output)
{
    [Fact]
    public Task PowerCutLeavesStateOfOneIndex() => PowerCuts.RunAsync(new Soak(output.WriteLine, "--cycles", "6"));

    [Fact]
    public async Task MachineWithoutSyncsIsCaughtUnderPower()
    {
        var found = await Record.ExceptionAsync(async () =>
        {
            if (!await PowerCuts.RunAsync(
                new Soak(output.WriteLine, "--cycles", "60", "--durability", "Process", "--as-power", "1")))
                throw new ForbiddenStateException("Not run.");
        });
        Assert.IsType<ForbiddenStateException>(found);
    }
}
