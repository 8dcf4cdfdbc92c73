using Varve.Background;
using Varve.Tests.Simulation.Crash;
using Varve.Tests.Simulation.Disk;

namespace Varve.Tests.Simulation.Lives;

/// <summary>
/// A scripted life of a database on a simulated disk. The journal of the disk carries, as notes, what may be expected of a recovery
/// from there on. Everything happens on one thread, so a life repeats from its steps.
/// </summary>
internal sealed class Life : IDisposable
{
    public const string Directory = "/data/db";
    private readonly Step[] steps;
    private readonly EngineOptions options;
    private readonly CallerFaults? callers;
    private readonly List<SnapshotTaken> snapshots = [];
    private readonly ApplyResult[] results = new ApplyResult[64];
    private ManualScheduler background = new();
    private LsmStateMachine? machine;
    private Line line = new(1);
    private Line? other;
    private int first;
    private int acknowledged;
    private int opened;
    private byte tags = 1;

    public Life(Step[] steps, Durability durability, int historyEntries = 0, CallerFaults? callers = null)
    {
        this.steps = steps;
        this.callers = callers;
        Durability = durability;
        Disk.CreateDirectory(Path.GetDirectoryName(Directory)!); // before any fault
        options = Options(Disk) with
        {
            Durability = durability,
            HistoryEntries = historyEntries,
            // Half of the lives keep segments and tables for use after a compaction too.
            IdleAfter = (steps.Length + (int)durability) % 2 == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(30),
            TableAccess = durability == Durability.Interval ? TableAccess.Probed : TableAccess.Mapped,
        };
        if (callers is not null) options = callers.On(options);
    }

    public SimFs Disk { get; } = new();

    public Durability Durability { get; }

    public required string Name { get; init; }

    public Expectation Expected { get; private set; } = new();

    /// <summary>Steps that ended in an exception of the documented kinds.</summary>
    public List<Exception> Failures { get; } = [];

    public IReadOnlyList<SnapshotTaken> Snapshots => snapshots;

    /// <summary>Why the machine was latched, if it was.</summary>
    public string? Fault { get; private set; }

    /// <summary>The least of everything, so that little is much.</summary>
    public static EngineOptions Options(SimFs disk) => new()
    {
        Storage = disk,
        MemtableBytes = 64 << 10,
        TableBytes = 64 << 10,
        BlockBytes = 512,
        HistoryEntries = 0,
        UpperRunsMax = 2,
        SealedMemtablesMax = 1,
        LeaseClock = LeaseClock.Log,
        TimeProvider = StillClock.Instance,
    };

    /// <summary>Lives it; what fails with a documented exception is noted, and life goes on.</summary>
    public Journal Run()
    {
        var journal = Disk.Record();
        Go();
        return journal;
    }

    /// <summary>The disk before the life: a fold of its journal begins here.</summary>
    public UnsyncedDisk Beginning()
    {
        var disk = new UnsyncedDisk();
        var data = Disk.IdOf(Path.GetDirectoryName(Directory)!);
        disk.Begin(data, isDirectory: true);
        disk.BeginName(SimFs.RootId, "data", data);
        return disk;
    }

    /// <summary>Lives it on a disk that is being recorded, or on one that is not.</summary>
    public void Go()
    {
        Say();
        Try(Open);
        Disk.Note(new Opened());
        foreach (var step in steps)
        {
            if (machine is null && !Try(Open)) continue;
            for (var i = 0; i < step.Chunks; i++) Try(() => Do(step));
        }

        Close();
    }

    public void Close()
    {
        if (machine is null) return;
        Fault ??= machine.GetStatistics().Fault;
        NoteDurable();
        machine.CloseStorage();
        machine = null;
        if (Fault is null && Disk.Faults.Failed is null) first = acknowledged; // closing syncs
        Say();
    }

    public override string ToString() => $"{Name} ({Durability}): {string.Join(", ", steps)}";

    public void Dispose()
    {
        machine?.CloseStorage();
        Disk.Dispose();
    }

    /// <summary>Runs a step's action; only what is documented comes out of it.</summary>
    private bool Try(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception e) when (e is StorageFullException or EngineFaultedException || (e is IOException and not VarveException) || (e is SnapshotRejectedException && Disk.Faults.Failed is not null) || callers?.Explains(e) == true)
        {
            if (e is EngineFaultedException && machine is not null && machine.GetStatistics().Fault is null) throw new InvalidOperationException("faulted, and the statistics do not say why", e);
            Failures.Add(e);
            return false;
        }
    }

    private void Open()
    {
        background = new ManualScheduler();
        machine = LsmStateMachine.Open(Directory, options with { Steps = background });
        // What was in the log when a step failed may be there or not, and so may a switch have been made: the machine says.
        var index = machine.LastApplied.Index;
        var position = line.PositionOf(index);
        if (position < acknowledged && other?.PositionOf(index) is 0) (line, first, acknowledged, position) = (other, 0, 0, 0);
        if (position < acknowledged) throw new InvalidOperationException($"opened at {index}, expected {Expected}");
        if (position < line.Ends.Count - 1) line = line.Back(position);
        (other, acknowledged, opened) = (null, position, position);
        if (Durability == Durability.Power) first = position; // opening syncs what was acknowledged
        NoteDurable();
    }

    private void Do(Step step)
    {
        switch (step.Kind)
        {
            case StepKind.Apply:
                Apply(step.Entries, 0);
                break;
            case StepKind.ApplyLarge:
                Apply(1, 150_000);
                break;
            case StepKind.Flush:
                machine!.Flush();
                Durable();
                break;
            case StepKind.SaveHardState:
                machine!.PersistLastApplied(line.Last.Id);
                machine.SaveHardState();
                Durable();
                break;
            case StepKind.Background:
                background.Run();
                break;
            case StepKind.Tick:
                background.Tick();
                break;
            case StepKind.Compact:
                var compacted = machine!.CompactAsync();
                background.Run();
                Wait(compacted);
                break;
            case StepKind.Snapshot:
            case StepKind.SnapshotBehind:
                Snapshot(step.Kind == StepKind.SnapshotBehind);
                break;
            case StepKind.Install:
                Install();
                break;
            case StepKind.Reset:
                Switch(() => Wait(machine!.ResetAsync()), new Line(++tags));
                break;
            case StepKind.Clean:
                _ = machine!.LeaseBackgroundCleanupAsync();
                break;
            case StepKind.Reopen:
                Close();
                Open();
                break;
        }

        NoteDurable();
    }

    private void Apply(int entries, int largeValue)
    {
        if (machine!.LastApplied != line.Last.Id) return; // latched, with an entry in the log
        var chunk = line.Next(entries, largeValue);
        Say(); // from here on it may be in the log
        try
        {
            machine.ApplyChunk(chunk, results);
            for (var i = 0; i < entries; i++)
                if (results[i].Succeeded != line.Outcome(chunk[i].Index)) throw new InvalidOperationException($"entry {chunk[i].Index} has another outcome than the model's");
            acknowledged = line.Ends.Count - 1;
            if (Durability == Durability.Power) first = acknowledged;
        }
        catch (Exception e) when (e is StorageFullException || callers?.Explains(e) == true)
        {
            line = line.Back(line.Ends.Count - 2); // nothing changed
            throw;
        }
        finally
        {
            Say();
        }
    }

    private void Durable()
    {
        first = acknowledged;
        Say();
    }

    private void Snapshot(bool isBehind)
    {
        if (machine!.LastApplied != line.Last.Id) return;
        var state = line.Last;
        if (isBehind && line.Ends.Count - 2 >= opened && state.Id.Index - line.Ends[^2].Id.Index <= (ulong)options.HistoryEntries) state = line.Ends[^2];
        var taken = new SnapshotTaken($"/data/snapshot-{snapshots.Count}", line, state);
        Disk.Note(new SnapshotBegun(taken));
        var made = machine.GenerateSnapshotDataAsync(taken.Path, state.Id);
        Wait(made);
        taken.Metadata = new SnapshotMetadata(state.Id, made.Result);
        snapshots.Add(taken);
        Disk.Note(new SnapshotKept(taken));
        Durable();
    }

    private void Install()
    {
        if (snapshots.Count == 0) return;
        // Older ones than the state are refused: it goes back first, to entry 0.
        var taken = snapshots[^1];
        if (taken.State.Id.Index < machine!.LastApplied.Index) Switch(() => Wait(machine.ResetAsync()), new Line(++tags));
        Switch(() => Wait(machine.ApplySnapshotFromFileAsync(taken.Metadata!, taken.Path)), taken.Line.From(taken.State, ++tags));
    }

    /// <summary>The state is replaced: before or after, never mixed.</summary>
    private void Switch(Action action, Line next)
    {
        if (other is not null) return; // latched by a switch of which nobody knows whether it was made
        other = next;
        Say();
        try
        {
            action();
            (line, first, acknowledged, opened) = (next, 0, 0, 0);
            other = null;
        }
        catch (Exception e) when ((e is IOException && e is not EngineFaultedException) || callers?.Explains(e) == true)
        {
            other = null; // refused before anything was changed
            throw;
        }
        finally
        {
            Say();
        }
    }

    private void Say()
    {
        var own = new Allowed(line, first, acknowledged, line.Ends.Count - 1);
        Expected = other is null ? new Expectation(own) : new Expectation(own, new Allowed(other, 0, 0, 0));
        Disk.Note(Expected);
    }

    /// <summary>What the machine says is durable is held against it.</summary>
    private void NoteDurable()
    {
        if (machine is null) return;
        var durable = machine.DurableLogId.Index;
        var at = line.Ends.FindLastIndex(end => end.Id.Index <= durable);
        if (at > first && at <= acknowledged) first = at;
        Say();
    }

    private static void Wait(Task task)
    {
        try
        {
            if (!task.Wait(TimeSpan.FromSeconds(60))) throw new TimeoutException("an operation does not end");
        }
        catch (AggregateException e) when (e.InnerExceptions.Count == 1)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerException!);
        }
    }

    /// <summary>The local clock stands still: leases go by the log.</summary>
    private sealed class StillClock : TimeProvider
    {
        public static StillClock Instance { get; } = new();

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000);
    }
}
