namespace Varve.Runtime;

/// <summary>
/// Wakes the worker that waits for it. A signal that nobody waits for is kept for the next wait, and two are one. Any
/// thread.
/// </summary>
internal sealed class WakeSignal
{
    // Waking is harmless after the end, so it is left to its finalizer.
    private readonly AutoResetEvent _event = new(false);

    /// <summary>Wakes the worker.</summary>
    public void Set() => _event.Set();

    /// <summary>Waits for a wake, at most as long as said; false where the time ran out.</summary>
    public bool Wait(TimeSpan most) => _event.WaitOne(most);
}
