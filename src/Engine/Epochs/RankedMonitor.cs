namespace Varve.Epochs;

/// <summary>
/// A lock that threads wait in for a change, with its place in <see cref="LockOrder"/>. Not reentrant.
/// </summary>
internal sealed class RankedMonitor(LockOrder which)
{
    private readonly object _monitor = new();

    /// <summary>Enters the lock until the scope is disposed.</summary>
    public Scope Enter()
    {
        which.AssertMayEnter();
        Monitor.Enter(_monitor);
        HeldLocks.Add(which);
        return new Scope(this);
    }

    /// <summary>Leaves the lock until <see cref="PulseAll"/> or the time is over, then enters again.</summary>
    public void Wait(TimeSpan most) => Monitor.Wait(_monitor, most);

    /// <summary>Wakes the threads that wait; the caller holds the lock.</summary>
    public void PulseAll() => Monitor.PulseAll(_monitor);

    private void Exit()
    {
        HeldLocks.Drop(which);
        Monitor.Exit(_monitor);
    }

    /// <summary>The lock is held until this is disposed.</summary>
    internal readonly ref struct Scope(RankedMonitor owner)
    {
        public void Dispose() => owner.Exit();
    }
}
