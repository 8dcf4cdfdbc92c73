namespace Varve.Runtime;

/// <summary>
/// Wakes the worker that waits for it. A signal without a waiter is kept for the next wait; two such signals are one.
/// Any thread.
/// </summary>
internal sealed class WakeSignal
{
    // A wake may come after the engine's end, so the event is left to its finalizer.
    private readonly AutoResetEvent _event = new(false);

    /// <summary>Wakes the worker.</summary>
    public void Set() => _event.Set();

    /// <summary>Waits for a signal; false if none came in time.</summary>
    public bool Wait(TimeSpan most) => _event.WaitOne(most);
}
