using Varve.Tests.Schedules.Control;
using Varve.Tests.Schedules.Scenarios;
using Varve.Tests.Shared;

namespace Varve.Tests.Schedules;

/// <summary>The runs of this project, short as tests and long from the command line.</summary>
internal static class Soaks
{
    /// <summary>
    /// <c>explore --schedules N [--scenario X] [--seed S]</c>: random schedules, shared out by weight.
    /// </summary>
    public static void Explore(Soak soak, long otherwise, int workers)
    {
        var total = soak.Number("schedules", otherwise);
        var chosen = Chosen(soak);
        var weights = chosen.Sum(name => Catalogue.All[name].Weight);
        var done = 0L;
        foreach (var name in chosen)
        {
            var count = (total * Catalogue.All[name].Weight + weights - 1) / weights;
            var exploration =
                new RandomExploration(name, Catalogue.All[name].Make, soak.Seed, count) { Fault = FaultOf(soak) };
            var started = soak.Elapsed;
            var finding = exploration.Run(
                workers, () => soak.Progress(() => $"{name}: {exploration.Schedules} schedules"));
            Say(soak, exploration, started, "random");
            if (finding is not null) throw new InvalidOperationException(finding.ToString());
            done += exploration.Schedules;
        }

        soak.Write($"{done} schedules, nothing found");
    }

    /// <summary>
    /// <c>exhaustive [--scenario X] [--bound N]</c>: every schedule with at most that many preemptions.
    /// </summary>
    public static void Exhaust(Soak soak, bool isLong, int workers)
    {
        var done = 0L;
        foreach (var name in Chosen(soak))
        {
            var entry = Catalogue.All[name];
            var bound = (int)soak.Number("bound", isLong ? entry.LongBound : entry.Bound);
            var exhaustion = new Exhaustion(name, entry.Make, bound) { Fault = FaultOf(soak) };
            var started = soak.Elapsed;
            var finding = exhaustion.Run(
                workers, () => soak.Progress(() => $"{name}: {exhaustion.Schedules} schedules"));
            Say(soak, exhaustion, started, $"all with up to {bound} departures");
            if (finding is not null) throw new InvalidOperationException(finding.ToString());
            done += exhaustion.Schedules;
        }

        soak.Write($"{done} schedules, nothing found");
    }

    /// <summary>
    /// <c>replay --scenario X --schedule STRING</c>: one schedule, step by step; <c>-</c> for the one without
    /// departures.
    /// </summary>
    public static void Replay(Soak soak)
    {
        var schedule = soak.Text("schedule", "-");
        var failure = Schedules.Replay.Run(
            soak.Text("scenario", ""), schedule == "-" ? "" : schedule, soak.Write, FaultOf(soak));
        if (failure is not null) throw failure;
    }

    /// <summary><c>--fault NoProcessWideFence</c>: to see it found.</summary>
    private static Fault FaultOf(Soak soak) => Enum.Parse<Fault>(soak.Text("fault", nameof(Fault.None)));

    private static List<string> Chosen(Soak soak)
    {
        var name = soak.Text("scenario", "");
        return name.Length == 0 ? [.. Catalogue.All.Keys] : [name];
    }

    private static void Say(Soak soak, Exploration exploration, TimeSpan started, string how)
    {
        var seconds = (soak.Elapsed - started).TotalSeconds;
        soak.Write(
            $"{exploration.Name,-20} {how}: {exploration.Schedules} schedules, "
                + $"{exploration.Steps / Math.Max(exploration.Schedules, 1)} steps each, {seconds:f1} s, "
                + $"{seconds / exploration.Schedules * 1e6:f0} us a schedule");
    }
}
