using Varve.Contract;
using Varve.Epochs;

namespace Varve.Runtime;

/// <summary>
/// The state of an engine (running, stopped, closed, released) and its latched failure: the first one after which it
/// can promise nothing. Any thread.
/// </summary>
internal sealed class EngineState(EngineOptions options, EngineLog log)
{
    private const int Running = 0;
    private const int Stopped = 1;
    private const int Closed = 2;

    private readonly RankedLock _lifecycle = new(LockOrder.Lifecycle);
    private int _state;
    private Exception? _fault;
    private bool _isReleased;
    private volatile bool _flushesAtClose;

    /// <summary>
    /// Wakes callers that wait for work that no thread will do any more. Set once, before another thread has the state.
    /// </summary>
    public Action? Failed { get; set; }

    /// <summary>Held during a start, a stop and a close; taken before every other lock.</summary>
    public RankedLock Lifecycle => _lifecycle;

    public bool IsRunning => Volatile.Read(ref _state) == Running;

    public bool IsClosed => Volatile.Read(ref _state) == Closed;

    /// <summary>True once a close has given the directory back.</summary>
    public bool IsReleased => Volatile.Read(ref _isReleased);

    /// <summary>The latched failure, or null.</summary>
    public Exception? Fault => Volatile.Read(ref _fault);

    /// <summary>
    /// True if a flush or a merge must give up, since it can be repeated: the engine is closing, or a failure is
    /// latched.
    /// </summary>
    public bool IsStopping => Fault is not null || (IsClosed && !_flushesAtClose);

    /// <summary>True while the closing thread flushes, after the background has ended.</summary>
    public bool FlushesAtClose
    {
        set => _flushesAtClose = value;
    }

    /// <summary>True if waiting for the background is pointless.</summary>
    public bool HasEnded => !IsRunning || Fault is not null;

    public void Start()
    {
        using (_lifecycle.Enter())
        {
            EnsureOpen();
            Volatile.Write(ref _state, Running);
        }
    }

    public void Stop()
    {
        using (_lifecycle.Enter())
            if (IsRunning) Volatile.Write(ref _state, Stopped);
    }

    /// <summary>From here on every call is refused; under the lifecycle lock too.</summary>
    public void SetClosedGateHeld()
    {
        LockOrder.Gate.AssertHeld();
        LockOrder.Lifecycle.AssertHeld();
        Volatile.Write(ref _state, Closed);
    }

    /// <summary>Records that the directory is released. Called under the lifecycle lock.</summary>
    public void SetReleased()
    {
        LockOrder.Lifecycle.AssertHeld();
        Volatile.Write(ref _isReleased, true);
    }

    /// <summary>
    /// Latches a failure after which the engine can promise nothing, unless one is latched. From then on nothing is
    /// acknowledged (I3).
    /// </summary>
    public void Fail(Exception failure)
    {
        var isFirst = Interlocked.CompareExchange(ref _fault, failure, null) is null;
        Failed?.Invoke();
        if (isFirst) log.PostFault(failure);
    }

    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public void EnsureOpen()
    {
        if (IsClosed) ThrowNotRunning();
    }

    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    /// <exception cref="InvalidOperationException">The engine is stopped.</exception>
    public void EnsureReadable()
    {
        if (!IsRunning) ThrowNotRunning();
    }

    /// <inheritdoc cref="EnsureMutable"/>
    /// <inheritdoc cref="EnsureReadable"/>
    public void EnsureWritable()
    {
        EnsureReadable();
        EnsureMutable();
    }

    /// <exception cref="EngineFaultedException">An earlier failure was latched.</exception>
    /// <exception cref="InvalidOperationException">The engine was opened read-only.</exception>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public void EnsureMutable()
    {
        EnsureNotFaulted();
        if (options.ReadOnly) throw new InvalidOperationException("The engine was opened read-only.");
    }

    /// <exception cref="EngineFaultedException">An earlier failure was latched.</exception>
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public void EnsureNotFaulted()
    {
        EnsureOpen();
        if (Fault is { } fault) throw new EngineFaultedException(fault);
    }

    private void ThrowNotRunning()
    {
        EngineClosed.ThrowIf(IsClosed);
        throw new InvalidOperationException("The state machine is stopped; call StartAsync first.");
    }
}
