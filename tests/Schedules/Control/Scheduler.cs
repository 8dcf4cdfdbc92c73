namespace Varve.Tests.Schedules.Control;

/// <summary>
/// Runs a few threads one at a time and decides, at every access to shared state, which one continues. The same
/// decisions reproduce the same run.
/// </summary>
/// <remarks>
/// Only the thread whose turn it is touches the fields here. The thread that calls <see cref="Run"/> is the first of
/// the threads, the others are kept from one schedule to the next: a schedule that switches three times costs three
/// handoffs and little else.
/// </remarks>
internal sealed unsafe class Scheduler : IDisposable
{
    private const int StepsMax = 50_000;

    private readonly Controlled[] _threads = new Controlled[Decision.ThreadsMax];
    private readonly List<nint> _quarantine = [];
    private readonly List<(nint From, nint To, System.Runtime.InteropServices.GCHandle Pin)> _buffered = [];
    private IPlan _plan = new GivenPlan();
    private Action<string>? _trace;
    private int _count;
    private int _quiet;
    private Exception? _failure;
    private bool _isAbandoned;

    public Scheduler()
    {
        for (var i = 0; i < _threads.Length; i++) _threads[i] = new Controlled(this, i);
    }

    public static TimeSpan Patience { get; } = TimeSpan.FromMinutes(2);

    /// <summary>Steps of the schedule so far: the points at which somebody else might have run.</summary>
    public int Steps { get; private set; }

    /// <summary>Prepares, runs the threads of a scenario under a plan, finishes; answers what went wrong.</summary>
    public Exception? Run(Scenario scenario, IPlan plan, Action<string>? trace = null)
    {
        (_plan, _trace, Steps, _count, _failure, _isAbandoned, _quiet, SwitchesAtFilesOnly) =
            (plan, trace, 0, 0, null, false, 0, false);
        var own = Varve.Epochs.ThreadOrdinal.Current;
        var first = _threads[0];
        _count = 1;
        first.Begin(() => Main(scenario), owner: null);
        Ordinals.Set(Ordinals.Of(first.Id));
        try
        {
            first.RunHere();
            Ended(first);
            scenario.Dispose();
        }
        finally
        {
            Ordinals.Set(own);
        }

        foreach (var block in _quarantine) System.Runtime.InteropServices.NativeMemory.Free((void*)block);
        _quarantine.Clear();
        foreach (var (_, _, pin) in _buffered) pin.Free();
        _buffered.Clear();
        return _failure;
    }

    /// <summary>Makes a thread that can run from now on.</summary>
    public Controlled Spawn(Action body, Instrumented.Thread? owner)
    {
        if (_count == Decision.ThreadsMax) throw new InvalidOperationException("Too many threads for a schedule.");
        var thread = _threads[_count++];
        thread.Begin(body, owner);
        return thread;
    }

    /// <summary>
    /// Lets stores to an object's fields of 64 bits wait in store buffers; the object stays where it is until the
    /// schedule is over.
    /// </summary>
    public void BufferStoresTo(object owner, int bytes)
    {
        var pin =
            System.Runtime.InteropServices.GCHandle.Alloc(owner, System.Runtime.InteropServices.GCHandleType.Pinned);
        var from = pin.AddrOfPinnedObject();
        _buffered.Add((from, from + bytes, pin));
    }

    public bool IsBuffered(nint address)
    {
        foreach (var (from, to, _) in _buffered)
            if (address >= from && address < to) return true;
        return false;
    }

    /// <summary>A fence on every processor.</summary>
    public void FenceAll()
    {
        if (Fault == Fault.NoProcessWideFence) return;
        foreach (var thread in _threads.AsSpan(0, _count)) thread.Stores.Drain();
    }

    /// <summary>
    /// Threads share only files, as processes do: a step that is not of the file system is invisible to others and no
    /// switching point. For one schedule; set by a scenario that prepares.
    /// </summary>
    public bool SwitchesAtFilesOnly { get; set; }

    /// <summary>A machine without the promised fence, to prove that the search finds the fault.</summary>
    public Fault Fault { get; set; }

    /// <summary>Makes a failure the schedule's result, unless there was another before it.</summary>
    public void Report(Exception failure) => _failure ??= failure;

    public void Quarantine(nint block) => _quarantine.Add(block);

    /// <summary>Lets those go on who wait for something.</summary>
    public void Wake(object reason)
    {
        foreach (var thread in _threads.AsSpan(0, _count))
            if (thread.WaitsFor == reason) thread.WaitsFor = null;
    }

    public void Point(Controlled me, string what, string path) => Point(me, what, path, -1);

    public void Point(Controlled me, string what, string file, int line)
    {
        if (_isAbandoned) throw new ScheduleAbandonedException();
        if (_quiet > 0) return;

        var step = Steps++;
        _trace?.Invoke($"{step,5}  thread {me.Id}  {what}{Place(file, line)}");
        if (step > StepsMax) Abandon(new InvalidOperationException("The schedule does not come to an end."));
        if (step >= _plan.NextStep) Decide(me, step);
    }

    public bool Delays(Controlled me, string what, string file, int line)
    {
        if (_quiet > 0) return false;
        var step = Steps++;
        var keeps = _plan.Choose(step, 1 << me.Id | 1 << Decision.Keep, me.Id, isForced: false) == Decision.Keep;
        if (keeps) _trace?.Invoke($"{step,5}  thread {me.Id}  {what}{Place(file, line)}");
        return keeps;
    }

    /// <summary>Called by a thread that cannot go on; returns once it can and is chosen.</summary>
    public void Block(Controlled me, string what, string file, int line)
    {
        if (_isAbandoned) throw new ScheduleAbandonedException();
        _trace?.Invoke($"       thread {me.Id}  {what}{Place(file, line)}");
        SwitchFrom(me);
    }

    /// <summary>Called by a thread whose body is over.</summary>
    public void Ended(Controlled me)
    {
        me.HasEnded = true;
        if (me.Failure is not null)
        {
            _failure ??= me.Failure;
            _isAbandoned = true;
        }

        Wake(me);
        if (me.Id == 0)
        {
            while (StillRunning() is { } other) HandOver(me, other);
        }
        else if (_isAbandoned || _threads[0].HasEnded)
        {
            _threads[0].Resume(); // which sees to the end of the others
        }
        else
        {
            Pick(me).Resume();
        }
    }

    public void Dispose()
    {
        foreach (var thread in _threads) thread.Retire();
    }

    /// <summary>The engine's place in the source; a lock, which has none, is looked up.</summary>
    private static string Place(string file, int line)
    {
        if (line < 0) return file;
        if (line != 0) return $", {Path.GetFileName(file)}:{line}";
        foreach (var frame in new System.Diagnostics.StackTrace(fNeedFileInfo: true).GetFrames())
        {
            if (frame.GetMethod()?.DeclaringType?.Namespace is not { } name
                || name.StartsWith("System", StringComparison.Ordinal))
                continue;
            if (name is "Varve.Tests.Schedules" or "Varve.Tests.Schedules.Control"
                or "Varve.Tests.Schedules.Instrumented")
                continue;
            return $", {Path.GetFileName(frame.GetFileName())}:{frame.GetFileLineNumber()}";
        }

        return "";
    }

    /// <summary>
    /// The first thread: everything that is not to be explored, and its own part of the scenario in between.
    /// </summary>
    private void Main(Scenario scenario)
    {
        _quiet++;
        scenario.Prepare(this);
        var bodies = scenario.Threads;
        var others = new List<Controlled>();
        foreach (var body in bodies.Skip(1)) others.Add(Spawn(body, owner: null));
        _quiet--;
        Begin();
        bodies[0]();
        foreach (var other in others)
            while (!other.HasEnded) _threads[0].Block(other, "wait for the end", "", 0);
        _quiet++;
        scenario.Finish(this);
    }

    /// <summary>The choice of the first thread is no preemption.</summary>
    private void Begin()
    {
        var choice = _plan.Choose(Steps++, Options(), 0, isForced: true);
        if (choice != 0) HandOver(_threads[0], _threads[choice]);
    }

    private void Decide(Controlled me, int step)
    {
        while (true)
        {
            var choice = _plan.Choose(step, Options(), me.Id, isForced: false);
            if (!Decision.IsFlush(choice, out var flushed))
            {
                if (choice != me.Id) HandOver(me, _threads[choice]);
                return;
            }

            Flush(flushed, step);
            step = Steps++;
            if (step < _plan.NextStep) return;
        }
    }

    /// <summary>A switch that must be: <paramref name="me"/> waits or has ended.</summary>
    private Controlled Pick(Controlled me)
    {
        while (true)
        {
            var options = Options();
            var threads = options & ((1 << Decision.ThreadsMax) - 1);
            if (threads == 0) return Deadlocked();
            var standard = System.Numerics.BitOperations.TrailingZeroCount(threads);
            if (_quiet > 0 || System.Numerics.BitOperations.IsPow2(options)) return _threads[standard];
            var step = Steps++;
            var choice = _plan.Choose(step, options, standard, isForced: true);
            if (!Decision.IsFlush(choice, out var flushed)) return _threads[choice];
            Flush(flushed, step);
        }
    }

    private void SwitchFrom(Controlled me)
    {
        var next = Pick(me);
        if (next != me) HandOver(me, next);
        else if (_isAbandoned) throw new ScheduleAbandonedException();
    }

    private void HandOver(Controlled me, Controlled next)
    {
        next.Resume();
        me.AwaitTurn();
        if (_isAbandoned && !me.HasEnded) throw new ScheduleAbandonedException();
    }

    private void Flush(int thread, int step)
    {
        _trace?.Invoke($"{step,5}  thread {thread}'s delayed stores become visible");
        _threads[thread].Stores.Drain();
    }

    private int Options()
    {
        var options = 0;
        for (var i = 0; i < _count; i++)
        {
            if (_threads[i].CanRun) options |= 1 << i;
            if (!_threads[i].Stores.IsEmpty) options |= 1 << Decision.Flush(i);
        }

        return options;
    }

    private Controlled? StillRunning()
    {
        Controlled? waiting = null;
        foreach (var thread in _threads.AsSpan(0, _count))
        {
            if (thread.CanRun) return thread;
            if (!thread.HasEnded) waiting = thread;
        }

        if (waiting is not null) Deadlocked();
        return waiting;
    }

    /// <summary>Nobody can run: the first thread ends the schedule, and sees to the end of the others.</summary>
    private Controlled Deadlocked()
    {
        var waiting = _threads.Take(_count).Where(thread => !thread.HasEnded)
            .Select(thread => $"thread {thread.Id} for {thread.WaitsFor}");
        _failure ??= new InvalidOperationException("Nobody can run: " + string.Join(", ", waiting));
        _isAbandoned = true;
        _threads[0].WaitsFor = null;
        return _threads[0];
    }

    private void Abandon(Exception failure)
    {
        _failure ??= failure;
        _isAbandoned = true;
        throw new ScheduleAbandonedException();
    }
}

/// <summary>Hardware behaviour that a run may imitate.</summary>
internal enum Fault
{
    None,
    NoProcessWideFence,
}
