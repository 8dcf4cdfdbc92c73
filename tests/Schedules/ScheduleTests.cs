using Varve.Tests.Schedules.Control;
using Varve.Tests.Schedules.Scenarios;
using Varve.Tests.Shared;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Schedules;

/// <summary>
/// No interleaving of the engine's lock-free parts gives a wrong answer. The long runs are this project's program.
/// </summary>
public class ScheduleTests(ITestOutputHelper output)
{
    [Fact]
    public void RandomSchedulesFindNothing() =>
        Soaks.Explore(new Soak(output.WriteLine), otherwise: 5_000, Environment.ProcessorCount);

    [Fact]
    public void AllSchedulesWithFewPreemptionsFindNothing() =>
        Soaks.Exhaust(new Soak(output.WriteLine), isLong: false, Environment.ProcessorCount);

    [Fact]
    public void ChangeSignalLosesNoWake() =>
        Assert.Null(new Exhaustion("change-signal", Catalogue.All["change-signal"].Make, bound: 3).Run(workers: 1));

    [Theory]
    [InlineData("staged-dispose", 2)]
    [InlineData("staged-refused", 1)]
    public void StagedSnapshotEndsBeforeClose(string scenario, int bound) => FindNothing(scenario, bound);

    [Fact]
    public void SnapshotBesideResetHasOneState() => FindNothing("snapshot-reset", bound: 1);

    private static void FindNothing(string scenario, int bound) =>
        Assert.Null(new Exhaustion(scenario, Catalogue.All[scenario].Make, bound).Run(Environment.ProcessorCount));

    /// <summary>The reader's store stays in its buffer, which nothing drains.</summary>
    [Theory]
    [InlineData("pins")]
    [InlineData("reclaimer")]
    [InlineData("change-signal")]
    public void MissingProcessFenceIsFoundAsUseAfterFree(string scenario)
    {
        var exhaustion =
            new Exhaustion(scenario, Catalogue.All[scenario].Make, bound: 2) { Fault = Fault.NoProcessWideFence };
        var finding = exhaustion.Run(workers: 1);
        output.WriteLine($"{finding}");
        Assert.IsType<WrongAnswerException>(finding?.Failure);

        var exploration = new RandomExploration(scenario, Catalogue.All[scenario].Make, seed: 7, count: 20_000)
        {
            Fault = Fault.NoProcessWideFence
        };
        finding = exploration.Run(workers: 1);
        output.WriteLine($"{finding}");
        Assert.IsType<WrongAnswerException>(finding?.Failure);
        Assert.IsType<WrongAnswerException>(
            Replay.Run(scenario, finding.Schedule, static _ => { }, Fault.NoProcessWideFence));
    }

    [Fact]
    public void ScheduleReplaysStepByStep()
    {
        using var scheduler = new Scheduler();
        var random = new RandomPlan();
        foreach (var (name, entry) in Catalogue.All)
        {
            for (ulong seed = 1; seed <= 20; seed++)
            {
                var first = new List<string>();
                random.Begin(seed, stepsUsual: 100);
                Assert.Null(scheduler.Run(entry.Make(), random, first.Add));
                var again = new List<string>();
                Assert.Null(Replay.Run(name, Decision.Print(random.Taken), again.Add));
                Assert.Equal(first.Select(Step), again.Select(Step));
            }
        }
    }

    /// <summary>
    /// Step, thread and kind; the place of a lock is read off the stack, which inlining changes from one run to the
    /// next.
    /// </summary>
    private static string Step(string line) => line.Split(", ")[0];
}
