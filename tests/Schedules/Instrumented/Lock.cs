using Varve.Tests.Schedules.Control;

#pragma warning disable CS9216 // The lock as an object is what is waited for, and is not locked.

namespace System.Threading;

/// <summary>
/// Stands for the framework's lock of this name, which <c>lock</c> statements of this assembly then use. Under control
/// a thread that finds it taken is not run until it is free; anywhere else it is an ordinary reentrant lock.
/// </summary>
internal sealed class Lock
{
    private readonly object _monitor = new();
    private Controlled? _owner;
    private int _depth;

    public bool IsHeldByCurrentThread => Controlled.Current is { } me ? _owner == me : Monitor.IsEntered(_monitor);

    public Scope EnterScope()
    {
        if (Controlled.Current is { } me)
        {
            if (_owner == me)
            {
                _depth++;
                return new Scope(this);
            }

            me.Point("before lock", "", 0);
            while (_owner is not null) me.Block(this, "wait for lock", "", 0);
            me.Stores.Drain();
            _owner = me;
            _depth = 1;
        }

        Monitor.Enter(_monitor); // free, unless a finalizer is in it for a moment
        return new Scope(this);
    }

    /// <summary>Under control no time passes: a lock that is taken is not entered.</summary>
    public bool TryEnter(TimeSpan timeout)
    {
        if (Controlled.Current is { } me)
        {
            if (_owner == me)
            {
                _depth++;
                return true;
            }

            me.Point("before lock", "", 0);
            if (_owner is not null) return false;
            me.Stores.Drain();
            _owner = me;
            _depth = 1;
            Monitor.Enter(_monitor); // free, unless a finalizer is in it for a moment
            return true;
        }

        return Monitor.TryEnter(_monitor, timeout);
    }

    public void Exit()
    {
        if (Controlled.Current is not { } me || _owner != me)
        {
            Monitor.Exit(_monitor);
            return;
        }

        if (--_depth > 0) return;
        me.Stores.Drain();
        Monitor.Exit(_monitor);
        _owner = null;
        me.Scheduler.Wake(this);
        me.Point("unlock", "", 0);
    }

    public readonly ref struct Scope(Lock owner)
    {
        public void Dispose() => owner.Exit();
    }
}
