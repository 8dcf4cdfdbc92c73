using Varve.Background;
using Varve.Tests.Shared;
using Varve.Tests.Simulation.Crash;
using Varve.Tests.Shared.Disk;
using Varve.Tests.Simulation.Lives;

namespace Varve.Tests.Simulation.Runs;

/// <summary>
/// The power fails, and fails again in the recovery, and in the recovery from that, three deep; then the state is held
/// against the model. A recovery is recorded like a life, and lost at a moment of it, in some way.
/// </summary>
internal sealed class RecoveryCrash : IDisposable
{
    private const int Depth = 3;
    private const int Fan = 3;
    private const int PerLife = 12;
    private readonly SimFs[] _disks = [.. Enumerable.Range(0, Depth + 1).Select(
        _ => new SimFs { IsCached = false })];
    private readonly CrashImage _image = new();
    private readonly Random _random;
    private readonly Outcomes _outcomes;
    private readonly Durability _durability;
    private readonly Action _done;

    private RecoveryCrash(ulong seed, Durability durability, Action done)
    {
        _random = new Random((int)(seed * 17));
        _outcomes = new Outcomes(_random);
        _durability = durability;
        _done = done;
    }

    /// <summary><c>--states N</c>: how many third crashes.</summary>
    public static Task Run(Soak soak)
    {
        var wanted = soak.Number("states", 5_000);
        var crashes = 0L;
        var lives = 0L;
        Workers.Run(soak, number =>
        {
            if (Volatile.Read(ref crashes) >= wanted) return false;
            var seed = soak.Seed + (ulong)number;
            using var life = PowerLoss.LifeOf(seed);
            var journal = life.Run();
            using var run = new RecoveryCrash(seed, life.Durability, () => Interlocked.Increment(ref crashes));
            var moments =
                Enumerable.Range(0, journal.Events.Count).Where(i => Enumeration.IsMoment(journal.Events[i])).ToArray();
            try
            {
                for (var n = 0; n < PerLife; n++)
                    run.Crash(life.Beginning(), journal, moments[run._random.Next(moments.Length)], null, true, 0);
            }
            catch (Exception e)
            {
                throw new WrongRecoveryException($"{life}, crashes in recovery", e);
            }

            Interlocked.Increment(ref lives);
            soak.Progress(() => $"{crashes:N0} crashes");
            return true;
        });
        soak.Write(
            $"{crashes:N0} crashes in the recovery of a crashed recovery of a crashed recovery, in {lives:N0} lives, "
                + "all exact");
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        foreach (var disk in _disks) disk.Dispose();
    }

    private void Crash(
        UnsyncedDisk unsynced, Journal journal, int position, Expectation? expected, bool nothingIsLost, int depth)
    {
        for (var i = 0; i < position; i++)
        {
            unsynced.Apply(journal.Events[i]);
            if (journal.Events[i].Note is Expectation next) expected = next;
        }

        if (expected is null) return;
        var point = new CrashPoint(unsynced);
        var options = _random.Next(6) switch
        {
            0 => point.Newest(),
            1 => new int[point.Doubts.Count],
            _ => _outcomes.Any(point, new int[point.Doubts.Count])
        };
        nothingIsLost &= options.AsSpan().SequenceEqual(point.Newest());
        var disk = _disks[depth];
        disk.Load(point.Build(options, _image));
        try
        {
            if (depth == Depth) Look(disk, expected, nothingIsLost);
            else Recover(disk, expected, nothingIsLost, depth);
        }
        catch (Exception e)
        {
            throw new WrongRecoveryException(
                $"depth {depth}, event {position} of {journal.Events.Count}: {point.Describe(options)}", e);
        }
    }

    private void Recover(SimFs disk, Expectation expected, bool nothingIsLost, int depth)
    {
        var journal = disk.Record();
        var before = disk.Begin();
        var steps = new ManualScheduler();
        using (var machine = LsmStateMachine.Open(
            Life.Directory, Life.Options with { Durability = _durability }, new EngineSeams(disk, steps)))
        {
            var (line, state) = Oracle.Match(machine, expected, nothingIsLost);
            // A recovered state is like any other: as much of it survives as the engine reports durable.
            var position = line.Ends.IndexOf(state);
            var durable = Math.Min(
                position, Math.Max(0, line.FirstPositionUpTo(machine.DurableLogId.Index)));
            disk.Note(new Expectation(new Allowed(line, durable, position, position)));
            steps.Run();
        }

        disk.Note("closed");
        var moments =
            Enumerable.Range(0, journal.Events.Count).Where(i => Enumeration.IsMoment(journal.Events[i])).ToArray();
        for (var n = 0; n < Fan; n++)
        {
            // A fold is used up by a crash; the disk that it began from is gone, so it is copied from the first.
            Crash(before.Copy(), journal, moments[_random.Next(moments.Length)], expected, nothingIsLost, depth + 1);
        }
    }

    private void Look(SimFs disk, Expectation expected, bool nothingIsLost)
    {
        var oracle = new Oracle(disk);
        if (_random.Next(16) == 0) oracle.LookWhole(expected, nothingIsLost, _durability);
        else oracle.Look(expected, nothingIsLost);
        _done();
    }
}
