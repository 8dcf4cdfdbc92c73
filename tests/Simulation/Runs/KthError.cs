using Varve.Tests.Shared;
using Varve.Tests.Simulation.Crash;
using Varve.Tests.Shared.Disk;
using Varve.Tests.Simulation.Lives;

namespace Varve.Tests.Simulation.Runs;

/// <summary>
/// The k-th call of a life fails, for every k and every error that the call can end in. Only documented exceptions are
/// thrown, the life continues or the engine says why not, and the state afterwards is exact: for a new process, and
/// after a power loss too.
/// </summary>
internal static class KthError
{
    public static readonly Step[][] Scripts =
    [
        [
            new(StepKind.Apply, 10, 3), new(StepKind.Flush), new(StepKind.Apply, 40, 7), new(StepKind.Background),
            new(StepKind.Snapshot), new(StepKind.Apply, 3, 2), new(StepKind.Reopen), new(StepKind.Apply, 40, 7),
            new(StepKind.Compact), new(StepKind.Apply, 20), new(StepKind.Flush), new(StepKind.Reopen),
            new(StepKind.Install), new(StepKind.Apply, 5, 2), new(StepKind.Reset), new(StepKind.Apply, 7, 2),
            new(StepKind.SaveHardState), new(StepKind.Reopen), new(StepKind.Apply, 5), new(StepKind.Flush),
        ],
        [
            new(StepKind.Apply, 1, 3), new(StepKind.Apply, 40, 14), new(StepKind.Clean), new(StepKind.ApplyLarge),
            new(StepKind.Apply, 40, 7), new(StepKind.Tick), new(StepKind.Background), new(StepKind.Compact),
            new(StepKind.SnapshotBehind), new(StepKind.Reopen), new(StepKind.Apply, 40, 7), new(StepKind.Compact),
            new(StepKind.Snapshot), new(StepKind.Apply, 4), new(StepKind.Flush), new(StepKind.Reopen),
            new(StepKind.Apply, 4), new(StepKind.Flush),
        ],
    ];

    /// <summary><c>--every N</c>: only every n-th call, from a random one on.</summary>
    public static Task Run(Soak soak)
    {
        var every = soak.Number("every", 1);
        var runs = 0L;
        var injected = 0L;
        var latched = 0L;
        var work = from script in Enumerable.Range(0, Scripts.Length)
                   from durability in Enum.GetValues<Durability>()
                   from fault in Enum.GetValues<SimFault>()
                   select (script, durability, fault);
        var all = work.ToArray();
        Workers.Run(soak, number =>
        {
            if (number >= all.Length) return false;
            var (script, durability, fault) = all[number];
            for (var k = (long)(CrashPoint.Mix(soak.Seed + (ulong)number) % (ulong)every); ; k += every)
            {
                Interlocked.Increment(ref runs);
                var (isInjected, isLatched) = Fail(script, durability, fault, k);
                if (!isInjected) return true;
                Interlocked.Increment(ref injected);
                if (isLatched) Interlocked.Increment(ref latched);
                soak.Progress(() => $"{injected:N0} errors");
            }
        });
        var callers = FailCallers(every);
        soak.Write(
            $"{callers:N0} failures of an allocation, the clock or the logger (every {every}); every state exact");
        soak.Write(
            $"{injected:N0} errors at single calls (every {every}), {latched:N0} of them latched the engine; every "
                + "state exact, in a new process and after a power loss");
        return Task.CompletedTask;
    }

    /// <summary>
    /// The same lives, in which the k-th allocation of an apply fails, the user's clock or the user's logger; how many
    /// did.
    /// </summary>
    private static long FailCallers(long every)
    {
        var failed = 0L;
        foreach (var fault in Enum.GetValues<CallerFault>())
        {
            for (var number = 0; number < Scripts.Length * Enum.GetValues<Durability>().Length; number++)
            {
                // Another part of the calls in each.
                for (var k = number * 7L % every;
                    FailCaller(number % Scripts.Length, (Durability)(number / Scripts.Length), fault, k); k += every)
                    failed++;
            }
        }

        return failed;
    }

    /// <summary>One life in which the k-th call of one kind fails; false if there are not so many.</summary>
    public static bool FailCaller(int script, Durability durability, CallerFault fault, long k)
    {
        var callers = new CallerFaults(fault, k);
        using var life = new Life(Scripts[script], durability, historyEntries: 50, callers)
        {
            Name = $"script {script}, {durability}, {fault} {k}"
        };
        try
        {
            var journal = life.Run();
            callers.End();
            var isHarmless = fault != CallerFault.Allocation;
            if (isHarmless && life.Fault is { } latched)
                throw new WrongRecoveryException($"latched by {fault}: {latched}");
            if ((fault == CallerFault.Logger || !callers.Failed) && life.Failures.Count > 0)
                throw new WrongRecoveryException("failed without a fault", life.Failures[0]);
            PowerFails(life, journal, (ulong)k);
            new Oracle(life.Disk).LookWhole(life.Expected, nothingIsLost: true, durability);
            return callers.Failed;
        }
        catch (Exception e)
        {
            throw new WrongRecoveryException($"{life}", e);
        }
    }

    /// <summary>One life in which the first call from the k-th on that can fail so does.</summary>
    public static (bool IsInjected, bool IsLatched) Fail(int script, Durability durability, SimFault fault, long k)
    {
        using var life = new Life(Scripts[script], durability, historyEntries: 50)
        {
            Name = $"script {script}, {durability}, call {k}, {fault}"
        };
        try
        {
            life.Disk.Faults.FailAt(k, fault);
            var journal = life.Run();
            var failed = life.Disk.Faults.Failed;
            if (failed is null && life.Failures.Count > 0)
                throw new WrongRecoveryException("failed without a fault", life.Failures[0]);
            life.Disk.Faults.FailNothing();
            PowerFails(life, journal, (ulong)k);
            new Oracle(life.Disk).LookWhole(life.Expected, nothingIsLost: true, durability);
            return (failed is not null, life.Fault is not null);
        }
        catch (Exception e)
        {
            throw new WrongRecoveryException($"{life}: {life.Disk.Faults.Failed}", e);
        }
    }

    private static void PowerFails(Life life, Journal journal, ulong seed)
    {
        var unsynced = life.Beginning();
        foreach (var happened in journal.Events) unsynced.Apply(happened);
        var point = new CrashPoint(unsynced);
        var outcomes = new Outcomes(new Random((int)seed));
        using var disk = new SimFs { IsCached = false };
        var (oracle, image, tries) = (new Oracle(disk), new CrashImage(), 0);
        foreach (var options in outcomes.Adversarial(point))
        {
            if (++tries > 12) return;
            disk.Load(point.Build(options, image));
            if (tries == 1) oracle.LookWhole(life.Expected, nothingIsLost: false, life.Durability);
            else oracle.Look(life.Expected, nothingIsLost: false);
        }
    }
}
