using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Varve.Epochs;

namespace Varve.Runtime;

/// <summary>
/// Hands the engine's events to the user's logger, which may be slow, may throw, and may call the engine: it is called
/// by a thread of the pool that holds nothing of the engine's, or by the opening and the closing thread once they hold
/// nothing any more. An event is taken down wherever it happens, under any lock. Events arrive in their order, one at a
/// time. What the logger throws is dropped: nobody waits for it, and nobody is helped by an engine that stops for want
/// of a log.
/// </summary>
internal sealed class EngineLog
{
    /// <summary>Events that wait for a logger that is stuck; later ones are dropped.</summary>
    private const int WaitingMax = 256;

    private readonly ILogger _logger;
    private readonly RankedLock _lock = new(LockOrder.EventLog);
    private readonly Queue<Action<ILogger>> _waiting = new(WaitingMax);
    private bool _isEmitting;
    private bool _isScheduled;

    /// <summary>
    /// The log of an engine, made before anything else; what the factory throws is the open's failure.
    /// </summary>
    public EngineLog(ILoggerFactory? factory) => _logger = factory?.CreateLogger("Varve") ?? NullLogger.Instance;

    /// <summary>Takes down an event. Any thread, under any lock; never throws.</summary>
    public void Post(Action<ILogger> write)
    {
        if (_logger == NullLogger.Instance) return;
        using (_lock.Enter())
        {
            if (_waiting.Count == WaitingMax) return;
            _waiting.Enqueue(write);
            if (_isEmitting || _isScheduled) return;
            _isScheduled = true;
        }

        try
        {
            ThreadPool.UnsafeQueueUserWorkItem(static log => log.EmitScheduled(), this, preferLocal: false);
        }
        catch (OutOfMemoryException)
        {
            using (_lock.Enter()) _isScheduled = false; // with the next event
        }
    }

    /// <summary>Takes down the failure that the engine stops for. Any thread, under any lock; never throws.</summary>
    public void PostFault(Exception failure)
    {
        try
        {
            Post(logger => Log.Faulted(logger, failure));
        }
        catch (OutOfMemoryException)
        {
            // The exceptions that callers get say it too.
        }
    }

    /// <summary>Emits on this thread what waits, unless another one is at it. The caller holds no lock.</summary>
    public void Emit()
    {
        using (_lock.Enter())
        {
            if (_isEmitting) return;
            _isEmitting = true;
        }

        while (TryTake(out var write))
        {
            try
            {
                write(_logger);
            }
#pragma warning disable CA1031 // It is the user's code, and whatever it throws is its own affair.
            catch (Exception)
#pragma warning restore CA1031
            {
            }
        }
    }

    private void EmitScheduled()
    {
        using (_lock.Enter()) _isScheduled = false;
        Emit();
    }

    private bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Action<ILogger>? write)
    {
        using (_lock.Enter())
        {
            if (_waiting.TryDequeue(out write)) return true;
            _isEmitting = false;
            return false;
        }
    }
}
