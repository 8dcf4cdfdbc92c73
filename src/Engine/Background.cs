namespace Varve;

/// <summary>
/// A worker of the engine that does its round whenever it is woken, and at an interval if it has one: on a thread of its own, or
/// when a simulation steps it. A failure ends its work and is handed to the engine, which latches it; a full disk is not a
/// failure, the round is tried again.
/// </summary>
internal sealed class Background : IDisposable
{
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread? _thread;
    private readonly Action _round;
    private readonly Action<Exception> _failed;
    private readonly Func<TimeSpan> _interval;
    private volatile bool _stopping;

    public Background(string name, BackgroundSteps? steps, Action round, Action<Exception> failed, Func<TimeSpan> interval)
    {
        _round = round;
        _failed = failed;
        _interval = interval;
        IsStepped = steps is not null;
        if (steps is not null)
        {
            steps.Add(this);
            return;
        }

        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    public bool IsStopping => _stopping;

    /// <summary>True when it has no thread, and rounds are done by whoever calls <see cref="Step"/>.</summary>
    public bool IsStepped { get; }

    public void Wake() => _wake.Set();

    /// <summary>Does a round on the caller's thread if one is due, or in any case; false when there was none.</summary>
    public bool Step(bool always = false)
    {
        if (_stopping || (!_wake.WaitOne(TimeSpan.Zero) && !always)) return false;
        if (!TryRound()) _stopping = true;
        return true;
    }

    /// <summary>Lets the round that runs end, and no other begin. Waking is harmless afterwards, so the event is left to its finalizer.</summary>
    public void Dispose()
    {
        _stopping = true;
        _wake.Set();
        if (Thread.CurrentThread != _thread) _thread?.Join();
    }

    private void Run()
    {
        while (!_stopping)
        {
            _wake.WaitOne(_interval());
            if (_stopping || !TryRound()) return;
        }
    }

    private bool TryRound()
    {
        try
        {
            _round();
        }
        catch (StorageFullException)
        {
            // Space may come back: what could not be written is still in the log. The next round tries again.
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
