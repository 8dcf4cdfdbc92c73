using Varve.Tests.Shared;
using Varve.Tests.Simulation.Crash;
using Varve.Tests.Simulation.Disk;
using Varve.Tests.Simulation.Lives;

namespace Varve.Tests.Simulation.Runs;

/// <summary>Scripted lives, and the power lost at every moment of each, in as many ways as are asked for.</summary>
internal sealed class PowerLoss
{
    private const int WholeEvery = 64;
    private readonly Soak soak;
    private readonly long wanted;
    private readonly int perLife;
    private long states;
    private long whole;
    private long points;
    private long lives;

    public PowerLoss(Soak soak, long wanted, int perLife = 12_000) => (this.soak, this.wanted, this.perLife) = (soak, wanted, perLife);

    /// <summary>Distinct states looked at, and those of them that were recovered for writing, thrice.</summary>
    public (long States, long Whole) Counts => (states, whole);

    public static Task Run(Soak soak)
    {
        var run = new PowerLoss(soak, soak.Number("states", 100_000));
        if (soak.Number("life", -1) is var life and >= 0) run.Live((ulong)life);
        else Workers.Run(soak, number => run.states < run.wanted && run.Live(soak.Seed + (ulong)number));
        soak.Write(run.ToString());
        return Task.CompletedTask;
    }

    public override string ToString() =>
        $"{states:N0} distinct states after a power loss, all exact, at {points:N0} points of {lives:N0} lives; {whole:N0} of them recovered for writing, thrice";

    public bool Live(ulong seed)
    {
        var durability = (Durability)(seed % 3);
        var steps = Step.Life(seed, 30);
        using var life = new Life(steps, durability, historyEntries: seed % 2 == 0 ? 0 : 50);
        var journal = life.Run();
        if (life.Failures.Count > 0) throw new WrongRecoveryException($"life {seed}: {life.Failures[0]}");
        new Enumeration(this, seed, life, journal).Run();
        Interlocked.Increment(ref lives);
        soak.Progress(ToString);
        return true;
    }

    /// <summary>The states of one life.</summary>
    private sealed class Enumeration(PowerLoss run, ulong seed, Life life, Journal journal)
    {
        private readonly HashSet<ulong> seen = [];
        private readonly CrashImage image = new();
        private readonly UnsyncedDisk unsynced = life.Beginning();
        private readonly WholeSnapshots snapshots = new(life.Beginning(), journal.Events);
        private readonly Random random = new((int)(seed * 31));
        private Expectation expected = null!;
        private int position;

        public void Run()
        {
            using var disk = new SimFs();
            var oracle = new Oracle(disk);
            var outcomes = new Outcomes(random);
            var moments = journal.Events.Count(IsMoment);
            var each = Math.Max(4, run.perLife / Math.Max(1, moments));
            for (position = 0; position < journal.Events.Count; position++)
            {
                var happened = journal.Events[position];
                // Until something is made durable, or expected, what can be lost only grows.
                if (expected is not null && IsMoment(happened)) Look(disk, oracle, outcomes, each);
                unsynced.Apply(happened);
                snapshots.Apply(happened.Note);
                if (happened.Note is Expectation next) expected = next;
            }

            Look(disk, oracle, outcomes, each);
        }

        private static bool IsMoment(SimEvent happened) => happened.Kind is SimEventKind.Synced or SimEventKind.SyncFailed or SimEventKind.DirectorySynced or SimEventKind.Noted;

        private void Look(SimFs disk, Oracle oracle, Outcomes outcomes, int most)
        {
            var point = new CrashPoint(unsynced);
            var newest = point.Newest();
            Interlocked.Increment(ref run.points);
            if (point.Ways(most) < most)
            {
                foreach (var options in Outcomes.All(point)) Try(point, options, newest, disk, oracle);
                return;
            }

            var before = seen.Count;
            foreach (var options in outcomes.Adversarial(point))
            {
                Try(point, options, newest, disk, oracle);
                if (seen.Count - before >= most) return;
            }

            var any = new int[newest.Length];
            for (var n = 0; n < most && seen.Count - before < most; n++) Try(point, outcomes.Any(point, any), newest, disk, oracle);
        }

        private void Try(CrashPoint point, int[] options, int[] newest, SimFs disk, Oracle oracle)
        {
            var nothingIsLost = options.AsSpan().SequenceEqual(newest);
            point.Build(options, image);
            if (!seen.Add(image.Hash ^ CrashPoint.Mix((ulong)expected.GetHashCode() * 2 + (nothingIsLost ? 1UL : 0)))) return;
            var number = Interlocked.Increment(ref run.states);
            try
            {
                snapshots.Check(image);
                disk.Load(image);
                if (number % WholeEvery == 0)
                {
                    oracle.LookWhole(expected, nothingIsLost, life.Durability);
                    Interlocked.Increment(ref run.whole);
                }
                else
                {
                    oracle.Look(expected, nothingIsLost);
                }
            }
            catch (Exception e)
            {
                throw new WrongRecoveryException(
                    $"life {seed} ({life.Durability}), event {position} of {journal.Events.Count} (replay with --life {seed}): {Text(point, options)}", e);
            }
        }

        private static string Text(CrashPoint point, int[] options) => string.Join("; ", options.Select((option, i) => point.Doubts[i] switch
        {
            { Sector: { } sector } => $"file {sector.Page.File.Id} page {sector.Page.Number} sector {sector.Sector}: {option} of {sector.Newest}",
            { Length: { } length } => $"file {length.Id} length: {option} of {length.Lengths.Count}",
            var names => $"{string.Join(", ", names.Names!.Changes)}: {(option == 0 ? "lost" : "kept")}",
        }));
    }
}
