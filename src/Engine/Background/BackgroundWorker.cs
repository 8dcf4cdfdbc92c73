using Varve.Runtime;
using Varve.Storage;

namespace Varve.Background;

/// <summary>
/// A worker of the engine that does its round whenever it is woken, and at an interval if it has one: on a thread of
/// its own, or when a simulation steps it. A failure ends its work and is handed to the engine, which latches it; a
/// full disk is not a failure, nor is want of descriptors: the round is tried again.
/// </summary>
internal sealed class BackgroundWorker : IDisposable
{
    /// <summary>Shares a core with a reader or an applier at about a tenth (docs/decisions/0022).</summary>
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

    /// <param name="name">Of the thread.</param>
    /// <param name="seams">With a scheduler the worker has no thread.</param>
    /// <param name="wake">Wakes it.</param>
    /// <param name="round">What it does.</param>
    /// <param name="failed">Told of the failure that ended it.</param>
    /// <param name="interval">How long it waits for a wake at most.</param>
    /// <param name="isDeferrable">Whether threads of the user go first where there are more of them than cores
    /// (<see cref="Defer"/>).</param>
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

    public bool IsStopping => _stopping;

    /// <summary>True when it has no thread, and rounds are done by whoever calls <see cref="Step"/>.</summary>
    public bool IsStepped => _steps is not null;

    /// <summary>Begins its work: at once where it was woken before. Once.</summary>
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
        _thread = thread; // not before: one that could not be started is not waited for
    }

    /// <summary>
    /// Has threads of the user go before this one, for the rest of its life. (Linux; elsewhere all are equal.)
    /// </summary>
    public static void Defer()
    {
        if (OperatingSystem.IsLinux()) _ = Libc.Nice(NiceOfDeferrable);
    }

    public void Wake() => _wake.Set();

    /// <summary>Does a round on the caller's thread if one is due, or in any case; false when there was none.</summary>
    public bool Step(bool always = false)
    {
        if (_stopping || (!_wake.Wait(TimeSpan.Zero) && !always)) return false;
        if (!TryRound()) _stopping = true;
        return true;
    }

    /// <summary>Lets the round that runs end, and no other begin.</summary>
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
            // Space may come back, and descriptors: what could not be written is still in the log. The next round tries
            // again.
        }
#pragma warning disable CA1031 // Whatever it is, the engine must hear of it instead of dying of it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _failed(e);
            return false;
        }

        return true;
    }
}
