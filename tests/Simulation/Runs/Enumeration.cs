using Varve.Tests.Simulation.Crash;
using Varve.Tests.Simulation.Disk;
using Varve.Tests.Simulation.Lives;

namespace Varve.Tests.Simulation.Runs;

/// <summary>What was looked at; of all workers.</summary>
internal sealed class Tally
{
    private const int WholeEvery = 64;
    private long states;
    private long whole;
    private long points;
    private long allWays;

    public long States => Volatile.Read(ref states);

    public long Whole => Volatile.Read(ref whole);

    /// <summary>Notes a distinct state; true when it is the turn of the full look.</summary>
    public bool State()
    {
        if (Interlocked.Increment(ref states) % WholeEvery != 0) return false;
        Interlocked.Increment(ref whole);
        return true;
    }

    public void Point(bool isExhausted)
    {
        Interlocked.Increment(ref points);
        if (isExhausted) Interlocked.Increment(ref allWays);
    }

    public override string ToString() =>
        $"{states:N0} distinct states, all exact, at {points:N0} points ({allWays:N0} of them in every way); {whole:N0} states recovered for writing, thrice";
}

/// <summary>The states that a power loss may leave of one life, at every moment of it.</summary>
internal sealed class Enumeration(Life life, Journal journal, ulong seed, Tally tally)
{
    private readonly HashSet<ulong> seen = [];
    private readonly CrashImage image = new();
    private readonly UnsyncedDisk unsynced = life.Beginning();
    private readonly WholeSnapshots snapshots = new(life.Beginning(), journal.Events);
    private readonly Outcomes outcomes = new(new Random((int)(seed * 31)));
    private Expectation? expected;
    private int position;

    /// <summary>Until something is made durable, or another state is expected, what can be lost only grows: these are the moments that count.</summary>
    public static bool IsMoment(SimEvent happened) => happened.Kind is SimEventKind.Synced or SimEventKind.SyncFailed or SimEventKind.DirectorySynced or SimEventKind.Noted;

    /// <summary>Looks at every moment from one on, in at most <paramref name="most"/> ways each: in all if there are no more than that.</summary>
    public void Run(int most, int from = 0)
    {
        using var disk = new SimFs();
        var oracle = new Oracle(disk);
        for (position = 0; position < journal.Events.Count; position++)
        {
            var happened = journal.Events[position];
            if (expected is not null && position >= from && IsMoment(happened)) Look(disk, oracle, most);
            unsynced.Apply(happened);
            snapshots.Apply(happened.Note);
            if (happened.Note is Expectation next) expected = next;
        }

        Look(disk, oracle, most);
    }

    private void Look(SimFs disk, Oracle oracle, int most)
    {
        var point = new CrashPoint(unsynced);
        var newest = point.Newest();
        var all = point.Ways((long)most + 1) <= most;
        tally.Point(all);
        if (all)
        {
            foreach (var options in Outcomes.All(point)) Try(point, options, newest, disk, oracle);
        }

        var before = seen.Count;
        var tries = 0;
        foreach (var options in outcomes.Adversarial(point))
        {
            if (++tries > most) return;
            Try(point, options, newest, disk, oracle);
        }

        if (point.Doubts.All(doubt => doubt.Options == doubt.Whole) && all) return;
        var any = new int[newest.Length];
        for (; tries < most && seen.Count - before < most; tries++) Try(point, outcomes.Any(point, any), newest, disk, oracle);
    }

    private void Try(CrashPoint point, int[] options, int[] newest, SimFs disk, Oracle oracle)
    {
        var nothingIsLost = options.AsSpan().SequenceEqual(newest);
        point.Build(options, image);
        if (!seen.Add(image.Hash ^ CrashPoint.Mix(((ulong)expected!.GetHashCode() * 2) + (nothingIsLost ? 1UL : 0)))) return;
        try
        {
            snapshots.Check(image);
            disk.Load(image);
            if (tally.State()) oracle.LookWhole(expected, nothingIsLost, life.Durability);
            else oracle.Look(expected, nothingIsLost);
        }
        catch (Exception e)
        {
            throw new WrongRecoveryException($"{life}, event {position} of {journal.Events.Count}: {point.Describe(options)}", e);
        }
    }
}
