using Varve.Tests.Crash.Child;
using Varve.Tests.Crash.Children;
using Varve.Tests.Shared;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Crash.Kill;

/// <summary>
/// A process killed at any instant leaves the state of exactly one chunk boundary: that of its last acknowledgement, or
/// of the step that had begun.
/// </summary>
public sealed class KillTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(nameof(Durability.Process), 70)]
    [InlineData(nameof(Durability.Interval), 66)]
    [InlineData(nameof(Durability.Power), 64)]
    [InlineData(KillChild.Journal, 4)] // the test itself accepts a machine that keeps its word
    public Task KillLosesNothingAcknowledged(string durability, int cycles) => RunAsync(durability, cycles);

    [Fact]
    public Task MachineThatAcknowledgesTooEarlyIsCaught() =>
        Assert.ThrowsAsync<ForbiddenStateException>(() => RunAsync(nameof(Durability.Process), 200, "--early", "1"));

    private Task RunAsync(string durability, int cycles, params string[] more) =>
        KillLoop.RunAsync(new Soak(output.WriteLine, ["--cycles", $"{cycles}", "--durability", durability, .. more]));
}
