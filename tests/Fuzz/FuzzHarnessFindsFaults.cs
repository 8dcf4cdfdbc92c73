using Varve.Fuzz.Mutation;
using Varve.Fuzz.Targets;
using Xunit;

namespace Varve.Tests.Fuzz;

/// <summary>The harness finds planted faults: a fuzzer that finds nothing proves nothing unless it could.</summary>
public class FuzzHarnessFindsFaults
{
    private static readonly Limits Quick =
        new() { Slow = TimeSpan.FromMilliseconds(1), Hang = TimeSpan.FromMilliseconds(20) };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void CanaryIsFound(ulong seed)
    {
        var run = RunOf(Registry.Find("canary")!, seed, executions: 1_000_000);
        var finding = Assert.Single(run.Findings);
        Assert.Equal(FindingKind.Exception, finding.Kind);
        Assert.True(finding.Input.AsSpan().StartsWith("VRV!"u8));
    }

    [Fact]
    public void SameSeedGivesSameFinding()
    {
        var canary = Registry.Find("canary")!;
        Finding first = RunOf(canary, 5, 1_000_000).Findings[0], second = RunOf(canary, 5, 1_000_000).Findings[0];
        Assert.Equal(first.Execution, second.Execution);
        Assert.Equal(first.Input, second.Input);
    }

    [Fact]
    public void AllocationOverCapIsFinding()
    {
        var greedy = Target(_ => (ulong)new byte[1 << 20].Length) with { AllocationMax = 1 << 19 };
        Assert.Equal(FindingKind.Allocation, Assert.Single(RunOf(greedy, 1, 10).Findings).Kind);
        Assert.Empty(RunOf(greedy with { AllocationMax = 1 << 21 }, 1, 10).Findings);
    }

    [Fact]
    public void SlownessIsFinding()
    {
        var slow = Target(_ =>
        {
            for (var began = Environment.TickCount64; Environment.TickCount64 - began < 50;) Thread.SpinWait(100);
            return 0;
        });
        Assert.Equal(FindingKind.Slow, new Execution(slow, Quick).Run([], out _)?.Kind);
    }

    [Fact]
    public void SingleSlownessIsIgnored()
    {
        var calls = 0;
        var slowOnce = Target(_ =>
        {
            calls++;
            for (var began = Environment.TickCount64; calls == 1 && Environment.TickCount64 - began < 300;)
                Thread.SpinWait(100);
            return 0;
        });
        Assert.Null(new Execution(slowOnce, new Limits { Slow = TimeSpan.FromMilliseconds(200) }).Run([], out _));
        Assert.Equal(2, calls);
    }

    [Fact]
    public void HangIsReportedWithItsInput()
    {
        using var released = new ManualResetEventSlim();
        byte[]? reported = null;
        using var watchdog = new Watchdog(Quick.Hang, input =>
        {
            reported = input;
            released.Set();
        });
        var hangs = Target(_ => released.Wait(TimeSpan.FromSeconds(60)) ? 1u : 2u);
        var execution = new Execution(hangs, new Limits { Slow = TimeSpan.FromMinutes(2) }, watchdog);
        Assert.Null(execution.Run([1, 2, 3], out var feature));
        Assert.Equal(1u, feature);
        Assert.Equal([1, 2, 3], reported!);
    }

    [Fact]
    public void ExceptionsFromOnePlaceAreOneFinding()
    {
        var throws = Target(input => input.Length % 2 == 0 ? throw new InvalidOperationException("even") : 0UL);
        Assert.Single(RunOf(throws, 1, 1000, findingsMax: 5).Findings);
    }

    [Fact]
    public void InputWithNewCoverageIsKept()
    {
        var run = RunOf(Target(input => (ulong)Math.Min(input.Length, 100)), 1, 20_000);
        Assert.True(run.Kept > 50, $"{run.Kept} kept");
        Assert.Equal(run.Features, run.Kept);
    }

    private static FuzzTarget Target(FuzzFunction run) => new("planted", run, () => []);

    private static MutationRun RunOf(FuzzTarget target, ulong seed, long executions, int findingsMax = 1)
    {
        var run = new MutationRun(target, target.Seeds().Select(s => s.Bytes), seed, new Limits())
        {
            FindingsMax = findingsMax
        };
        run.Run(executions, TimeSpan.MaxValue);
        return run;
    }
}
