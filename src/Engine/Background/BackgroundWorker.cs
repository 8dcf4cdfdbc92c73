using Varve.Runtime;
using Varve.Storage;

namespace Varve.Background;

/// <summary>
/// Runs a round each time it is woken, and at an interval if it has one: on its own thread, or when a simulation steps
/// it. A failure ends the worker and is passed to the engine, which latches it. A shortage, of space or descriptors, is
/// no failure: the round is tried again.
/// </summary>
internal sealed class BackgroundWorker : IDisposable
{
    /// <summary>Leaves nine tenths of a shared core to a reader or applier (decision 0022).</summary>
    private const int NiceOfDeferrable = 10;

    private readonly WakeSignal _wake;
    private readonly string _name;
    private readonly ManualScheduler? _steps;
    private readonly Action<Thread>? _threadStarts;
    private Thread? _thread;
    private readonly Action _round;
    private readonly Action<Exception> _failed;
    private readonly Func<TimeSpan> _interval;
    private readonly bool _isDeferrable;
    private volatile bool _stopping;

    /// <param name="name">Name of the thread.</param>
    /// <param name="seams">With a scheduler the worker has no thread.</param>
    /// <param name="wake">The signal that wakes it.</param>
    /// <param name="round">Its work.</param>
    /// <param name="failed">Called with the failure that ended it.</param>
    /// <param name="interval">Returns the longest wait for a wake.</param>
    /// <param name="isDeferrable">True if threads of the user come first (<see cref="Defer"/>).</param>
    public BackgroundWorker(
        string name, EngineSeams seams, WakeSignal wake, Action round, Action<Exception> failed,
        Func<TimeSpan> interval, bool isDeferrable = false)
    {
        _isDeferrable = isDeferrable;
        _name = name;
        _steps = seams.Scheduler;
        _threadStarts = seams.ThreadStarts;
        _wake = wake;
        _round = round;
        _failed = failed;
        _interval = interval;
    }

    /// <summary>True once no further round begins.</summary>
    public bool IsStopping => _stopping;

    /// <summary>True if it has no thread, and <see cref="Step"/> runs its rounds on the caller's.</summary>
    public bool IsStepped => _steps is not null;

    /// <summary>Starts the thread. A wake before the start counts. Call it once.</summary>
    public void Start()
    {
        if (_steps is not null)
        {
            _steps.Add(this);
            return;
        }

        var thread = new Thread(Run) { IsBackground = true, Name = _name };
        _threadStarts?.Invoke(thread);
        thread.Start();
        _thread = thread; // not before the start: a thread that never ran is not joined
    }

    /// <summary>
    /// Lowers the priority of the calling thread below the user's threads, for the rest of its life. On Linux only.
    /// </summary>
    public static void Defer()
    {
        if (OperatingSystem.IsLinux()) _ = Libc.Nice(NiceOfDeferrable);
    }

    /// <summary>Causes a round. Any thread.</summary>
    public void Wake() => _wake.Set();

    /// <summary>
    /// Runs a round on the caller's thread if one is due or <paramref name="always"/> is true; false if it ran none.
    /// </summary>
    public bool Step(bool always = false)
    {
        if (_stopping || (!_wake.Wait(TimeSpan.Zero) && !always)) return false;
        if (!TryRound()) _stopping = true;
        return true;
    }

    /// <summary>Waits for the round that is running; no other begins.</summary>
    public void Dispose()
    {
        _stopping = true;
        _wake.Set();
        if (Thread.CurrentThread != _thread) _thread?.Join();
    }

    private void Run()
    {
        if (_isDeferrable) Defer();
        while (!_stopping)
        {
            _wake.Wait(_interval());
            if (_stopping || !TryRound()) return;
        }
    }

    private bool TryRound()
    {
        try
        {
            _round();
        }
        catch (IOException e) when (Shortage.IsMet(e))
        {
            // A shortage may pass, and the log still has what could not be written. The next round tries again.
        }
#pragma warning disable CA1031 // The engine latches any failure; an unhandled one would end the process.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _failed(e);
            return false;
        }

        return true;
    }
}
