using Varve.Tests.Shared;
using Varve.Tests.Simulation.Crash;
using Varve.Tests.Simulation.Lives;

namespace Varve.Tests.Simulation.Runs;

/// <summary>
/// All lives of up to three steps, and every way in which a power loss at any moment of them can turn out.
/// </summary>
internal static class Exhaustive
{
    private static readonly Step[] Alphabet =
    [
        new(StepKind.Apply), new(StepKind.Apply, 6), new(StepKind.Flush), new(StepKind.SaveHardState),
        new(StepKind.Tick), new(StepKind.Compact),
        new(StepKind.Snapshot), new(StepKind.Install), new(StepKind.Reset), new(StepKind.Clean), new(StepKind.Reopen),
    ];

    /// <summary><c>--steps N</c>, at most three; <c>--ways N</c> a moment; <c>--every N</c> of the lives.</summary>
    public static Task Run(Soak soak)
    {
        var lives = Lives((int)soak.Number("steps", 3)).ToArray();
        var every = (int)soak.Number("every", 1);
        var ways = (int)soak.Number("ways", 4096);
        var tally = new Tally();
        var lived = 0L;
        Workers.Run(soak, number =>
        {
            var at = (number * every) + (long)(soak.Seed % (ulong)every);
            if (at >= lives.Length) return false;
            var (steps, durability) = lives[at];
            using var life = new Life(steps, durability) { Name = $"life {at} of {lives.Length}" };
            var journal = life.Run();
            if (life.Failures.Count > 0) throw new WrongRecoveryException($"{life}", life.Failures[0]);
            // The making of the database is looked at once a durability, not in every life.
            var from = steps.Length == 0 ? 0 : journal.Events.FindIndex(happened => happened.Note is Opened);
            new Enumeration(life, journal, (ulong)at, tally).Run(ways, from);
            Interlocked.Increment(ref lived);
            soak.Progress(() => $"{at:N0} of {lives.Length:N0} lives: {tally}");
            return true;
        });
        soak.Write($"{lived:N0} of all {lives.Length:N0} lives of up to {soak.Number("steps", 3)} steps: {tally}");
        return Task.CompletedTask;
    }

    private static IEnumerable<(Step[] Steps, Durability Durability)> Lives(int length)
    {
        IEnumerable<Step[]> ofLength = [[]];
        for (var n = 0; n <= length; n++)
        {
            foreach (var steps in ofLength)
                foreach (var durability in Enum.GetValues<Durability>()) yield return (steps, durability);
            ofLength = [.. ofLength.SelectMany(steps => Alphabet.Select(step => (Step[])[.. steps, step]))];
        }
    }
}
