using Varve.Tests.Schedules.Control;

namespace Varve.Epochs;

/// <summary>
/// Replaces the engine's class of this name. No thread is switched while it is in the lock; under control a wait lasts
/// until the pulse, and no time passes.
/// </summary>
internal sealed class RankedMonitor(LockOrder which)
{
    private readonly object _monitor = new();

    public Scope Enter()
    {
        which.AssertMayEnter();
        Monitor.Enter(_monitor);
        HeldLocks.Add(which);
        return new Scope(this);
    }

    public void Wait(TimeSpan most)
    {
        if (Controlled.Current is not { } me)
        {
            Monitor.Wait(_monitor, most);
            return;
        }

        Monitor.Exit(_monitor);
        me.Block(this, "wait for pulse", "", 0);
        Monitor.Enter(_monitor);
    }

    public void PulseAll()
    {
        Monitor.PulseAll(_monitor);
        Controlled.Current?.Scheduler.Wake(this);
    }

    private void Exit()
    {
        HeldLocks.Drop(which);
        Monitor.Exit(_monitor);
    }

    internal readonly ref struct Scope(RankedMonitor owner)
    {
        public void Dispose() => owner.Exit();
    }
}
