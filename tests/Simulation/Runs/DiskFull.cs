using Varve.Background;
using Varve.Tests.Shared;
using Varve.Tests.Simulation.Crash;
using Varve.Tests.Shared.Disk;
using Varve.Tests.Simulation.Lives;

namespace Varve.Tests.Simulation.Runs;

/// <summary>
/// The disk fills up and is freed, over and over: a full disk is an ordinary error, and work continues once there is
/// space.
/// </summary>
internal static class DiskFull
{
    private const int CyclesPerLife = 50;

    /// <summary><c>--cycles N</c>.</summary>
    public static Task Run(Soak soak)
    {
        var cycles = soak.Number("cycles", 50);
        var done = 0L;
        var refused = 0L;
        Workers.Run(soak, number =>
        {
            if (number * CyclesPerLife >= cycles) return false;
            Cycle(soak.Seed + (ulong)number, () =>
            {
                Interlocked.Increment(ref done);
                soak.Progress(() => $"{done:N0} cycles");
            }, () => Interlocked.Increment(ref refused));
            return true;
        });
        soak.Write(
            $"{done:N0} times the disk was full and was freed again: {refused:N0} calls refused, nothing acknowledged "
                + "lost, never latched");
        return Task.CompletedTask;
    }

    private static void Cycle(ulong seed, Action done, Action refused)
    {
        using var disk = new SimFs { IsCached = false };
        var random = new Random((int)seed);
        disk.CreateDirectory("/data");
        var options = Life.Options with { Durability = (Durability)(seed % 3) };
        var steps = new ManualScheduler();
        var machine = LsmStateMachine.Open(Life.Directory, options, new EngineSeams(disk, steps));
        var line = new Line(1);
        var results = new ApplyResult[40];
        try
        {
            for (var cycle = 0; cycle < CyclesPerLife; cycle++, done())
            {
                disk.Capacity = disk.Used + random.Next(1 << 17);
                for (var isFull = false; !isFull;)
                {
                    line = line.From(line.Last, (byte)(seed + (ulong)cycle));
                    isFull = !TryApply(machine, line, random.Next(1, 41), results);
                    if (isFull) refused();
                    else if (random.Next(4) == 0) steps.Run();
                }

                if (random.Next(4) == 0) Refuse(machine, steps, random, cycle);
                if (random.Next(8) == 0)
                {
                    machine.CloseStorage();
                    steps = new ManualScheduler();
                    machine = null;
                    if (random.Next(2) == 0) disk.Capacity = long.MaxValue;
                    machine = TryOpen(options, new EngineSeams(disk, steps));
                    disk.Capacity = long.MaxValue;
                    machine ??= LsmStateMachine.Open(Life.Directory, options, new EngineSeams(disk, steps));
                }

                Check(machine, line.Last);
                disk.Capacity = long.MaxValue;
                line = line.From(line.Last, (byte)cycle);
                if (!TryApply(machine, line, 40, results))
                    throw new WrongRecoveryException("there is room again, and an apply is refused");
                steps.Run();
                Check(machine, line.Last);
            }
        }
        finally
        {
            machine?.CloseStorage();
        }
    }

    /// <summary>The long operations on a full disk: they may fail, and change nothing.</summary>
    private static void Refuse(LsmStateMachine machine, ManualScheduler steps, Random random, int cycle)
    {
        try
        {
            if (random.Next(2) == 0)
            {
                var made = machine.GenerateSnapshotDataAsync($"/data/snapshot-{cycle}", machine.LastApplied);
                made.GetAwaiter().GetResult();
                return;
            }

            var compacted = machine.CompactAsync();
            steps.Run();
            if (!compacted.IsCompleted) throw new WrongRecoveryException("CompactAsync does not end on a full disk");
            compacted.GetAwaiter().GetResult();
        }
        catch (StorageFullException)
        {
        }
    }

    private static bool TryApply(LsmStateMachine machine, Line line, int entries, ApplyResult[] results)
    {
        var before = line.Last;
        var chunk = line.Next(entries);
        try
        {
            machine.ApplyChunk(chunk, results, line.Last.Mark);
            return true;
        }
        catch (StorageFullException)
        {
            line.Ends.RemoveAt(line.Ends.Count - 1);
            if (machine.LastApplied != before.Id)
                throw new WrongRecoveryException($"refused, and yet it is at {machine.LastApplied}");
            return false;
        }
    }

    private static LsmStateMachine? TryOpen(EngineOptions options, EngineSeams seams)
    {
        try
        {
            return LsmStateMachine.Open(Life.Directory, options, seams);
        }
        catch (StorageFullException)
        {
            return null;
        }
    }

    private static void Check(LsmStateMachine machine, LineState state)
    {
        if (Oracle.Compare(machine, state) is { } difference) throw new WrongRecoveryException(difference);
        if (machine.GetStatistics().Fault is { } fault)
            throw new WrongRecoveryException($"latched by a full disk: {fault}");
    }
}
