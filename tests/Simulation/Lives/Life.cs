using Varve.Background;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Simulation.Lives;

/// <summary>
/// A scripted life of a database on a simulated disk. The journal of the disk carries, as notes, what may be expected
/// of a recovery from there on. Everything happens on one thread, so a life repeats from its steps.
/// </summary>
internal sealed class Life : IDisposable
{
    public const string Directory = "/data/db";
    private readonly Step[] _steps;
    private readonly EngineOptions _options;
    private readonly CallerFaults? _callers;
    private readonly List<SnapshotTaken> _snapshots = [];
    private readonly ApplyResult[] _results = new ApplyResult[64];
    private ManualScheduler _background = new();
    private LsmStateMachine? _machine;
    private Line _line = new(1);
    private Line? _other;
    private int _first;
    private int _acknowledged;
    private int _opened;
    private byte _tags = 1;

    public Life(Step[] steps, Durability durability, int historyEntries = 0, CallerFaults? callers = null)
    {
        _steps = steps;
        _callers = callers;
        Durability = durability;
        Disk.CreateDirectory(Path.GetDirectoryName(Directory)!); // before any fault
        _options = Options with
        {
            Durability = durability,
            HistoryEntries = historyEntries,
            // Half of the lives keep segments and tables for use after a compaction too.
            IdleAfter = (steps.Length + (int)durability) % 2 == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(30),
            TableAccess = durability == Durability.Interval ? TableAccess.Probed : TableAccess.Mapped,
        };
        if (callers is not null) _options = callers.On(_options);
    }

    public SimFs Disk { get; } = new() { IsCached = false };

    public Durability Durability { get; }

    public required string Name { get; init; }

    public Expectation Expected { get; private set; } = new();

    /// <summary>Steps that ended in an exception of the documented kinds.</summary>
    public List<Exception> Failures { get; } = [];

    public IReadOnlyList<SnapshotTaken> Snapshots => _snapshots;

    /// <summary>Why the machine was latched, if it was.</summary>
    public string? Fault { get; private set; }

    /// <summary>The least of everything, so that little is much.</summary>
    public static EngineOptions Options { get; } = new()
    {
        MemtableBytes = 64 << 10,
        TableBytes = 64 << 10,
        BlockBytes = 512,
        HistoryEntries = 0,
        UpperRunsMax = 2,
        SealedMemtablesMax = 1,
        LeaseClock = LeaseClock.Log,
        TimeProvider = StillClock.Instance,
    };

    /// <summary>Runs the life; a documented exception is recorded, and the life continues.</summary>
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
        foreach (var step in _steps)
        {
            if (_machine is null && !Try(Open)) continue;
            for (var i = 0; i < step.Chunks; i++) Try(() => Do(step));
        }

        Close();
    }

    public void Close()
    {
        if (_machine is null) return;
        Fault ??= _machine.GetStatistics().Fault;
        RecordDurable();
        _machine.CloseStorage();
        _machine = null;
        if (Fault is null && Disk.Faults.Failed is null) _first = _acknowledged; // closing syncs
        Say();
    }

    public override string ToString() => $"{Name} ({Durability}): {string.Join(", ", _steps)}";

    public void Dispose()
    {
        _machine?.CloseStorage();
        Disk.Dispose();
    }

    /// <summary>Runs a step's action; only documented exceptions pass.</summary>
    private bool Try(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception e)
            when (e is StorageFullException or EngineFaultedException || (e is IOException and not VarveException)
                || (e is SnapshotRejectedException && Disk.Faults.Failed is not null) || _callers?.Explains(e) == true)
        {
            if (e is EngineFaultedException && _machine is not null && _machine.GetStatistics().Fault is null)
                throw new InvalidOperationException("faulted, and the statistics do not say why", e);
            Failures.Add(e);
            return false;
        }
    }

    private void Open()
    {
        _background = new ManualScheduler();
        _machine = LsmStateMachine.Open(
            Directory, _options, new EngineSeams(Disk, _background, _callers is null ? null : _callers.Allocate));
        // Entries in the log when a step failed may be there or not, and so may a replacement: the machine tells.
        var index = _machine.LastApplied.Index;
        var mark = MarkOf(_machine);
        var position = _line.PositionOf(index, mark);
        if (position < _acknowledged && _other?.PositionOf(index, mark) is 0)
            (_line, _first, _acknowledged, position) = (_other, 0, 0, 0);
        if (position < _acknowledged) throw new InvalidOperationException($"opened at {index}, expected {Expected}");
        if (position < _line.Ends.Count - 1) _line = _line.Back(position);
        (_other, _acknowledged, _opened) = (null, position, position);
        if (Durability == Durability.Power) _first = position; // opening syncs what was acknowledged
        RecordDurable();
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
            case StepKind.Mark:
                if (_machine!.LastApplied != _line.Last.Id) return;
                _line.NextMark();
                Send([]);
                break;
            case StepKind.Flush:
                _machine!.Flush();
                Durable();
                break;
            case StepKind.SaveHardState:
                _machine!.PersistLastApplied(_line.Last.Id);
                _machine.SaveHardState();
                Durable();
                break;
            case StepKind.Background:
                _background.Run();
                break;
            case StepKind.Tick:
                _background.Tick();
                break;
            case StepKind.Compact:
                var compacted = _machine!.CompactAsync();
                _background.Run();
                Wait(compacted);
                break;
            case StepKind.Snapshot:
            case StepKind.SnapshotBehind:
                Snapshot(step.Kind == StepKind.SnapshotBehind);
                break;
            case StepKind.Install:
                Install();
                break;
            case StepKind.StagedInstall:
                StagedInstall();
                break;
            case StepKind.Reset:
                Switch(() => Wait(_machine!.ResetAsync()), new Line(++_tags));
                break;
            case StepKind.Clean:
                _ = _machine!.LeaseBackgroundCleanupAsync();
                break;
            case StepKind.Reopen:
                Close();
                Open();
                break;
        }

        RecordDurable();
    }

    private void Apply(int entries, int largeValue)
    {
        if (_machine!.LastApplied != _line.Last.Id) return; // latched, with an entry in the log
        Send(_line.Next(entries, largeValue));
    }

    /// <summary>Applies the line's last end.</summary>
    private void Send(ApplyEntry[] chunk)
    {
        var mark = _line.Last.Mark;
        Say(); // from here on it may be in the log
        try
        {
            if (_line.Ends.Count > 1 && mark.AsSpan().SequenceEqual(_line.Ends[^2].Mark))
                _machine!.ApplyChunk(chunk, _results);
            else _machine!.ApplyChunk(chunk, _results, mark);
            for (var i = 0; i < chunk.Length; i++)
                if (_results[i].Succeeded != _line.Outcome(chunk[i].Index))
                    throw new InvalidOperationException($"entry {chunk[i].Index} has another outcome than the model's");
            _acknowledged = _line.Ends.Count - 1;
            if (Durability == Durability.Power) _first = _acknowledged;
        }
        catch (Exception e) when (e is StorageFullException || _callers?.Explains(e) == true)
        {
            _line = _line.Back(_line.Ends.Count - 2); // nothing changed
            throw;
        }
        finally
        {
            Say();
        }
    }

    private void Durable()
    {
        _first = _acknowledged;
        Say();
    }

    private void Snapshot(bool isBehind)
    {
        if (_machine!.LastApplied != _line.Last.Id) return;
        var state = _line.Last;
        if (isBehind && _line.Ends.Count - 2 >= _opened && _line.Ends[^2].Id != state.Id
            && state.Id.Index - _line.Ends[^2].Id.Index <= (ulong)_options.HistoryEntries)
            state = _line.Ends[^2];
        var taken = new SnapshotTaken($"/data/snapshot-{_snapshots.Count}", _line, state);
        Disk.Note(new SnapshotBegun(taken));
        var made = _machine.GenerateSnapshotDataAsync(taken.Path, state.Id);
        Wait(made);
        taken.Metadata = new SnapshotMetadata(state.Id, made.Result);
        _snapshots.Add(taken);
        Disk.Note(new SnapshotKept(taken));
        Durable();
    }

    private void Install()
    {
        if (_snapshots.Count == 0) return;
        // Older ones than the state are refused: it goes back first, to entry 0.
        var taken = _snapshots[^1];
        if (taken.State.Id.Index < _machine!.LastApplied.Index)
            Switch(() => Wait(_machine.ResetAsync()), new Line(++_tags));
        Switch(
            () => Wait(_machine.ApplySnapshotFromFileAsync(taken.Metadata!, taken.Path)),
            taken.Line.From(taken.State, ++_tags));
    }

    /// <summary>Stages a snapshot, perhaps applies more, and installs it or lets it go.</summary>
    private void StagedInstall()
    {
        if (_snapshots.Count == 0 || _other is not null) return;
        var taken = _snapshots[^1];
        var index = taken.State.Id.Index;
        if (index < _machine!.LastApplied.Index) Switch(() => Wait(_machine.ResetAsync()), new Line(++_tags));
        var staging = _machine.StageSnapshotAsync(taken.Metadata!, taken.Path);
        Wait(staging);
        using var staged = staging.Result;
        if (index % 4 == 0) return;
        if (_line.Last.Id.Index + 3 <= index && index % 4 != 1) Apply(3, 0);
        Switch(staged.Install, taken.Line.From(taken.State, ++_tags));
    }

    /// <summary>The state is replaced: before or after, never mixed.</summary>
    private void Switch(Action action, Line next)
    {
        if (_other is not null) return; // latched by a switch of which nobody knows whether it was made
        _other = next;
        Say();
        try
        {
            action();
            (_line, _first, _acknowledged, _opened) = (next, 0, 0, 0);
            _other = null;
        }
        catch (Exception e)
            when (e is IOException || _callers?.Explains(e) == true)
        {
            _other = null; // refused before anything was changed
            throw;
        }
        finally
        {
            Say();
        }
    }

    private void Say()
    {
        var own = new Allowed(_line, _first, _acknowledged, _line.Ends.Count - 1);
        Expected = _other is null ? new Expectation(own) : new Expectation(own, new Allowed(_other, 0, 0, 0));
        Disk.Note(Expected);
    }

    /// <summary>Holds the machine to the position that it reports as durable.</summary>
    private void RecordDurable()
    {
        if (_machine is null) return;
        var durable = _machine.DurableLogId.Index;
        var at = _line.FirstPositionUpTo(durable);
        if (at > _first && at <= _acknowledged) _first = at;
        Say();
    }

    public static byte[] MarkOf(LsmStateMachine machine)
    {
        var mark = new byte[64];
        return mark[..machine.ReadMark(mark)];
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

    /// <summary>A constant local clock: leases use the log's.</summary>
    private sealed class StillClock : TimeProvider
    {
        public static StillClock Instance { get; } = new();

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000);
    }
}
