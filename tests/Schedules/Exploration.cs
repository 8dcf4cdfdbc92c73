using Varve.Tests.Schedules.Control;
using RealInterlocked = System.Threading.Interlocked;
using RealThread = System.Threading.Thread;
using RealVolatile = System.Threading.Volatile;

namespace Varve.Tests.Schedules;

/// <summary>A schedule that something went wrong in, and how to run it again.</summary>
internal sealed record Finding(string Scenario, string Schedule, long Number, Exception Failure, Fault Fault)
{
    public override string ToString() =>
        $"{Scenario}, schedule {Number}: {Failure}\nreplay --scenario {Scenario} --schedule "
            + $"{(Schedule.Length == 0 ? "-" : Schedule)}\n{Replay.Trace(Scenario, Schedule, Fault)}";
}

/// <summary>
/// Runs schedules on several workers, each with threads of its own, until all are run or one shows something.
/// </summary>
internal abstract class Exploration(string scenario, Func<Scenario> make)
{
    private Finding? _finding;
    private long _schedules;
    private long _steps;

    public string Name => scenario;

    public long Schedules => RealVolatile.Read(ref _schedules);

    public long Steps => RealVolatile.Read(ref _steps);

    public Fault Fault { get; init; }

    public Finding? Run(int workers, Action? progress = null)
    {
        var threads = new RealThread[workers];
        for (var i = 0; i < workers; i++)
        {
            var worker = i;
            threads[i] = new RealThread(() => Work(worker, progress)) { IsBackground = true };
            threads[i].Start();
        }

        foreach (var thread in threads) thread.Join();
        return _finding;
    }

    protected bool IsOver => RealVolatile.Read(ref _finding) is not null;

    /// <summary>One worker's share.</summary>
    protected abstract void Work(Scheduler scheduler);

    protected void Run(Scheduler scheduler, IPlan plan, Func<IEnumerable<Decision>> schedule)
    {
        var number = RealInterlocked.Increment(ref _schedules);
        var failure = scheduler.Run(make(), plan);
        RealInterlocked.Add(ref _steps, scheduler.Steps);
        if (failure is null) return;
        RealInterlocked.CompareExchange(
            ref _finding, new Finding(scenario, Decision.Print(schedule()), number, failure, Fault), null);
    }

    private void Work(int worker, Action? progress)
    {
        using var scheduler = new Scheduler { Fault = Fault };
        Progress = worker == 0 ? progress : null;
        Work(scheduler);
    }

    protected Action? Progress { get; private set; }
}

/// <summary>Schedules drawn at random; each follows from the seed and its number.</summary>
internal sealed class RandomExploration(string scenario, Func<Scenario> make, ulong seed, long count)
    : Exploration(scenario, make)
{
    private long _next;

    protected override void Work(Scheduler scheduler)
    {
        var plan = new RandomPlan();
        var stepsUsual = 100;
        for (long number; !IsOver && (number = RealInterlocked.Increment(ref _next)) <= count;)
        {
            plan.Begin(seed * 0x9E37_79B9_7F4A_7C15 + (ulong)number, stepsUsual);
            Run(scheduler, plan, () => plan.Taken);
            stepsUsual = Math.Max(1, (stepsUsual * 15 + scheduler.Steps) / 16);
            if (number % 256 == 0) Progress?.Invoke();
        }
    }
}

/// <summary>
/// Every schedule with at most a number of departures that were not forced: switches away from a thread that could go
/// on, delayed stores. Each is run once: a run is the parent of those that depart once more, later.
/// </summary>
internal sealed class Exhaustion(string scenario, Func<Scenario> make, int bound) : Exploration(scenario, make)
{
    private readonly Stack<(Decision[] Schedule, int Spent)> _open = new([([], 0)]);
    private int _running;

    protected override void Work(Scheduler scheduler)
    {
        var plan = new GivenPlan();
        while (!IsOver)
        {
            Decision[] schedule;
            int spent;
            lock (_open)
            {
                if (!_open.TryPop(out var node))
                {
                    if (_running == 0) return;
                    Monitor.Wait(_open, 1);
                    continue;
                }

                (schedule, spent) = node;
                _running++;
            }

            plan.Begin(schedule, notesBranches: true);
            Run(scheduler, plan, () => schedule);
            lock (_open)
            {
                _running--;
                for (var i = plan.Branches.Count - 1; i >= 0; i--)
                {
                    var (step, others, isForced) = plan.Branches[i];
                    var cost = spent + (isForced ? 0 : 1);
                    if (cost > bound) continue;
                    for (; others != 0; others &= others - 1)
                        _open.Push((
                            [.. schedule, new Decision(step, System.Numerics.BitOperations.TrailingZeroCount(others))],
                            cost));
                }
            }

            if ((Schedules & 255) == 0) Progress?.Invoke();
        }
    }
}

/// <summary>One schedule again, said step by step.</summary>
internal static class Replay
{
    public static Exception? Run(string scenario, string schedule, Action<string> write, Fault fault = Fault.None)
    {
        using var scheduler = new Scheduler { Fault = fault };
        var plan = new GivenPlan();
        plan.Begin(Decision.Parse(schedule), notesBranches: false);
        return scheduler.Run(Scenarios.Catalogue.Make(scenario), plan, write);
    }

    public static string Trace(string scenario, string schedule, Fault fault)
    {
        var lines = new List<string>();
        Run(scenario, schedule, lines.Add, fault);
        return string.Join('\n', lines.TakeLast(400));
    }
}
