using Varve.Tests.Simulation.Crash;
using Varve.Tests.Shared.Disk;
using Varve.Tests.Simulation.Lives;

namespace Varve.Tests.Simulation.Runs;

/// <summary>Counts of all workers.</summary>
internal sealed class Tally
{
    private const int WholeEvery = 64;
    private long _states;
    private long _whole;
    private long _points;
    private long _allWays;

    public long States => Volatile.Read(ref _states);

    public long Whole => Volatile.Read(ref _whole);

    /// <summary>Notes a distinct state; true when it is the turn of the full look.</summary>
    public bool State()
    {
        if (Interlocked.Increment(ref _states) % WholeEvery != 0) return false;
        Interlocked.Increment(ref _whole);
        return true;
    }

    public void Point(bool isExhausted)
    {
        Interlocked.Increment(ref _points);
        if (isExhausted) Interlocked.Increment(ref _allWays);
    }

    public override string ToString() =>
        $"{_states:N0} distinct states, all exact, at {_points:N0} points ({_allWays:N0} of them in every way); "
            + $"{_whole:N0} states recovered for writing, thrice";
}

/// <summary>The states that a power loss may leave of one life, at every moment of it.</summary>
internal sealed class Enumeration(Life life, Journal journal, ulong seed, Tally tally)
{
    private readonly HashSet<ulong> _seen = [];
    private readonly CrashImage _image = new();
    private readonly UnsyncedDisk _unsynced = life.Beginning();
    private readonly WholeSnapshots _snapshots = new(life.Beginning(), journal.Events);
    private readonly Outcomes _outcomes = new(new Random((int)(seed * 31)));
    private Expectation? _expected;
    private int _position;

    /// <summary>
    /// Until something is made durable, or another state is expected, what can be lost only grows: these are the
    /// moments that count.
    /// </summary>
    public static bool IsMoment(SimEvent happened) => happened.Kind is SimEventKind.Synced or SimEventKind.SyncFailed
        or SimEventKind.DirectorySynced or SimEventKind.Noted;

    /// <summary>
    /// Looks at every moment from one on, in at most <paramref name="most"/> ways each: in all if there are no more
    /// than that.
    /// </summary>
    public void Run(int most, int from = 0)
    {
        using var disk = new SimFs { IsCached = false };
        var oracle = new Oracle(disk);
        for (_position = 0; _position < journal.Events.Count; _position++)
        {
            var happened = journal.Events[_position];
            if (_expected is not null && _position >= from && IsMoment(happened)) Look(disk, oracle, most);
            _unsynced.Apply(happened);
            _snapshots.Apply(happened.Note);
            if (happened.Note is Expectation next) _expected = next;
        }

        Look(disk, oracle, most);
    }

    private void Look(SimFs disk, Oracle oracle, int most)
    {
        var point = new CrashPoint(_unsynced);
        var newest = point.Newest();
        var all = point.Ways((long)most + 1) <= most;
        tally.Point(all);
        if (all)
        {
            foreach (var options in Outcomes.All(point)) Try(point, options, newest, disk, oracle);
        }

        var before = _seen.Count;
        var tries = 0;
        foreach (var options in _outcomes.Adversarial(point))
        {
            if (++tries > most) return;
            Try(point, options, newest, disk, oracle);
        }

        if (point.Doubts.All(doubt => doubt.Options == doubt.Whole) && all) return;
        var any = new int[newest.Length];
        for (; tries < most && _seen.Count - before < most; tries++)
            Try(point, _outcomes.Any(point, any), newest, disk, oracle);
    }

    private void Try(CrashPoint point, int[] options, int[] newest, SimFs disk, Oracle oracle)
    {
        var nothingIsLost = options.AsSpan().SequenceEqual(newest);
        point.Build(options, _image);
        if (!_seen.Add(_image.Hash ^ CrashPoint.Mix(((ulong)_expected!.GetHashCode() * 2) + (nothingIsLost ? 1UL : 0))))
            return;
        try
        {
            _snapshots.Check(_image);
            disk.Load(_image);
            if (tally.State()) oracle.LookWhole(_expected, nothingIsLost, life.Durability);
            else oracle.Look(_expected, nothingIsLost);
        }
        catch (Exception e)
        {
            throw new WrongRecoveryException(
                $"{life}, event {_position} of {journal.Events.Count}: {point.Describe(options)}", e);
        }
    }
}
