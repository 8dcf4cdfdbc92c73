using Varve.Epochs;
using Varve.Runtime;

namespace Varve.Background;

/// <summary>
/// Polls the WAL's size every <see cref="EngineOptions.IdleAfter"/> and fires once an idle period. A stepped engine has
/// no timer, so that its rounds depend on the simulation alone. Any thread.
/// </summary>
internal sealed class IdleDetector : IDisposable
{
    private readonly RankedLock _lock = new(LockOrder.Idleness);
    private readonly Func<long> _bytesLogged;
    private readonly Action _wake;
    private readonly EngineOptions _options;
    private readonly bool _isStepped;
    private ITimer? _timer;
    private long _seen;
    private bool _isTold;
    private bool _isDue;

    /// <param name="options">Has the interval and the timer's provider.</param>
    /// <param name="seams">With a scheduler there is no timer.</param>
    /// <param name="bytesLogged">Returns the bytes of the log so far; any thread.</param>
    /// <param name="wake">Wakes the thread that calls <see cref="TryConsume"/>.</param>
    public IdleDetector(EngineOptions options, EngineSeams seams, Func<long> bytesLogged, Action wake)
    {
        _options = options;
        _isStepped = seams.Scheduler is not null;
        _bytesLogged = bytesLogged;
        _wake = wake;
        _seen = bytesLogged();
    }

    /// <summary>Starts the timer, unless the engine is stepped or idle work is disabled.</summary>
    public void Start()
    {
        if (!_isStepped && _options.IdleAfter != Timeout.InfiniteTimeSpan)
            _timer = _options.TimeProvider.CreateTimer(
                static watch => ((IdleDetector)watch!).Look(), this, _options.IdleAfter, _options.IdleAfter);
    }

    /// <summary>True once for each idle period.</summary>
    public bool TryConsume()
    {
        using (_lock.Enter())
        {
            var isDue = _isDue;
            _isDue = false;
            return isDue;
        }
    }

    public void Dispose() => UserTimer.Dispose(_timer);

    private void Look()
    {
        using (_lock.Enter())
        {
            var grown = _bytesLogged();
            var isIdle = grown == _seen;
            _seen = grown;
            if (isIdle && _isTold) return;
            _isTold = _isDue = isIdle;
            if (!isIdle) return;
        }

        _wake();
    }
}
