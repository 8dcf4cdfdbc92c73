using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Varve.Epochs;

namespace Varve.Runtime;

/// <summary>
/// Passes the engine's events to the user's logger. The logger may be slow, may throw, and may call the engine. So code
/// queues an event under any lock, and a pool thread without locks calls the logger; so do the opening and the closing
/// thread after they have released theirs. Events arrive in order, one at a time. An exception of the logger is
/// dropped: an engine must not stop because its log does.
/// </summary>
internal sealed class EngineLog
{
    /// <summary>The most events that wait for a stuck logger; later ones are dropped.</summary>
    private const int WaitingMax = 256;

    private readonly ILogger _logger;
    private readonly RankedLock _lock = new(LockOrder.EventLog);
    private readonly Queue<Action<ILogger>> _waiting = new(WaitingMax);
    private bool _isEmitting;
    private bool _isScheduled;

    /// <summary>
    /// Creates the log before anything else of an engine. An exception of the factory fails the open.
    /// </summary>
    public EngineLog(ILoggerFactory? factory) => _logger = factory?.CreateLogger("Varve") ?? NullLogger.Instance;

    /// <summary>Queues an event. Any thread, under any lock; never throws.</summary>
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
            using (_lock.Enter()) _isScheduled = false; // the next event schedules both
        }
    }

    /// <summary>Queues the event of the latched failure. Any thread, under any lock; never throws.</summary>
    public void PostFault(Exception failure)
    {
        try
        {
            Post(logger => Log.Faulted(logger, failure));
        }
        catch (OutOfMemoryException)
        {
            // Callers get the failure as the inner exception of theirs.
        }
    }

    /// <summary>
    /// Passes queued events to the logger on this thread, unless another thread does so. The caller holds no lock.
    /// </summary>
    public void Emit()
    {
        using (_lock.Enter())
        {
            if (_isEmitting) return;
            _isEmitting = true;
        }

        while (TryDequeue(out var write))
        {
            try
            {
                write(_logger);
            }
#pragma warning disable CA1031 // The user's code may throw anything.
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

    private bool TryDequeue([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Action<ILogger>? write)
    {
        using (_lock.Enter())
        {
            if (_waiting.TryDequeue(out write)) return true;
            _isEmitting = false;
            return false;
        }
    }
}
