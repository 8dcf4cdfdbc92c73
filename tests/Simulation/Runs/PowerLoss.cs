using Varve.Tests.Shared;
using Varve.Tests.Simulation.Crash;
using Varve.Tests.Simulation.Lives;

namespace Varve.Tests.Simulation.Runs;

/// <summary>Scripted lives, and the power lost at every moment of each, in as many ways as are asked for.</summary>
internal static class PowerLoss
{
    private const int Steps = 30;
    private const int StatesPerLife = 12_000;

    /// <summary><c>--states N</c>; <c>--life L</c> lives one life of a run again.</summary>
    public static Task Run(Soak soak)
    {
        var tally = new Tally();
        var wanted = soak.Number("states", 100_000);
        var lives = 0L;
        if (soak.Number("life", -1) is var life and >= 0) Live(soak, tally, (ulong)life);
        else Workers.Run(soak, number =>
        {
            if (tally.States >= wanted) return false;
            Live(soak, tally, soak.Seed + (ulong)number);
            Interlocked.Increment(ref lives);
            return true;
        });
        soak.Write($"power loss in {lives:N0} lives: {tally}");
        return Task.CompletedTask;
    }

    /// <summary>The life of a seed: every third under each durability, every second with history.</summary>
    public static Life LifeOf(ulong seed) =>
        new(Step.Life(seed, Steps), (Durability)(seed % 3), historyEntries: seed % 2 == 0 ? 0 : 50)
        {
            Name = $"life {seed}"
        };

    private static void Live(Soak soak, Tally tally, ulong seed)
    {
        using var life = LifeOf(seed);
        var journal = life.Run();
        if (life.Failures.Count > 0) throw new WrongRecoveryException($"{life}", life.Failures[0]);
        new Enumeration(life, journal, seed, tally).Run(
            Math.Max(4, StatesPerLife / Math.Max(1, journal.Events.Count(Enumeration.IsMoment))));
        soak.Progress(tally.ToString);
    }
}
