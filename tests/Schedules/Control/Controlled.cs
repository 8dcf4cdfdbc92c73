using System.Runtime.CompilerServices;
using RealThread = System.Threading.Thread;

namespace Varve.Tests.Schedules.Control;

/// <summary>A thread under the scheduler: it runs only when it is its turn, and may lose it at every point.</summary>
internal sealed class Controlled
{
    [ThreadStatic]
    private static Controlled? _current;

    private readonly Turn _turn = new();
    private Action? _body;
    private RealThread? _real;

    public Controlled(Scheduler scheduler, int id)
    {
        Scheduler = scheduler;
        Id = id;
        Stores = new StoreBuffer(scheduler);
    }

    /// <summary>The calling thread, if a schedule runs on it.</summary>
    public static Controlled? Current => _current;

    public Scheduler Scheduler { get; }

    public int Id { get; }

    public StoreBuffer Stores { get; }

    public Instrumented.Thread? Owner { get; private set; }

    /// <summary>The condition that it waits for; null if it can run.</summary>
    public object? WaitsFor { get; set; }

    public bool HasEnded { get; set; }

    public Exception? Failure { get; private set; }

    public bool CanRun => !HasEnded && WaitsFor is null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Point(string what, string file, int line)
    {
        if (!Scheduler.SwitchesAtFilesOnly) Scheduler.Point(this, what, file, line);
    }

    /// <summary>A point also where threads share nothing but files.</summary>
    public void SharedPoint(string what, string path) => Scheduler.Point(this, what, path);

    /// <summary>A choice: whether the store that was just made stays in the buffer.</summary>
    public bool Delays(string what, string file, int line) => Scheduler.Delays(this, what, file, line);

    public void Block(object on, string what, string file, int line)
    {
        WaitsFor = on;
        Scheduler.Block(this, what, file, line);
    }

    public void Begin(Action body, Instrumented.Thread? owner)
    {
        (_body, Owner, WaitsFor, HasEnded, Failure) = (body, owner, null, false, null);
    }

    /// <summary>Runs the body on the calling thread: the first thread of a schedule is the worker itself.</summary>
    public void RunHere()
    {
        _current = this;
        try
        {
            _body!();
        }
        catch (ScheduleAbandonedException)
        {
        }
#pragma warning disable CA1031 // Whatever a schedule brings about is what is looked for.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failure = e;
        }
        finally
        {
            _current = null;
            Stores.Drain();
        }
    }

    /// <summary>Runs it, on its real thread; the caller waits for its own turn afterwards.</summary>
    public void Resume()
    {
        if (_real is null && Id != 0)
        {
            _real = new RealThread(Serve) { IsBackground = true, Name = $"controlled {Id}" };
            _real.Start();
        }

        _turn.Give();
    }

    public void AwaitTurn() => _turn.Await(Scheduler.Patience);

    private void Serve()
    {
        Ordinals.Set(Ordinals.Of(Id));
        while (true)
        {
            _turn.Await(Timeout.InfiniteTimeSpan);
            if (_body is null) return;
            RunHere();
            Scheduler.Ended(this);
        }
    }

    public void Retire()
    {
        _body = null;
        if (_real is not null) _turn.Give();
    }
}

/// <summary>Unwinds a thread whose schedule is over for another reason.</summary>
internal sealed class ScheduleAbandonedException : Exception;
