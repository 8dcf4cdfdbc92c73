namespace Varve;

/// <summary>
/// A thread of the engine that does its round whenever it is woken, and at an interval if it has one. A failure ends its work
/// and is handed to the engine, which latches it; a full disk is not a failure, the round is tried again.
/// </summary>
internal sealed class Background : IDisposable
{
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _thread;
    private readonly Action _round;
    private readonly Action<Exception> _failed;
    private readonly Func<TimeSpan> _interval;
    private volatile bool _stopping;

    public Background(string name, Action round, Action<Exception> failed, Func<TimeSpan> interval)
    {
        _round = round;
        _failed = failed;
        _interval = interval;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    public bool IsStopping => _stopping;

    public void Wake() => _wake.Set();

    /// <summary>Lets the round that runs end, and no other begin. Waking is harmless afterwards, so the event is left to its finalizer.</summary>
    public void Dispose()
    {
        _stopping = true;
        _wake.Set();
        if (Thread.CurrentThread != _thread) _thread.Join();
    }

    private void Run()
    {
        while (!_stopping)
        {
            _wake.WaitOne(_interval());
            if (_stopping) return;
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
                return;
            }
        }
    }
}
