using System.Runtime.CompilerServices;

namespace Varve.Epochs;

/// <summary>
/// A lock with its place in <see cref="LockOrder"/>. A debug build asserts the order at each entry; a release build has
/// the framework's lock and nothing beside it.
/// </summary>
internal readonly struct RankedLock
{
    private readonly Lock _lock = new();

#if DEBUG
    private readonly LockOrder _which;

    public RankedLock(LockOrder which) => _which = which;

    /// <summary>Enters the lock until the scope is disposed.</summary>
    public Scope Enter()
    {
        if (!_lock.IsHeldByCurrentThread) _which.AssertMayEnter();
        var scope = _lock.EnterScope();
        HeldLocks.Add(_which);
        return new Scope(scope, _which);
    }

    /// <summary>Enters the lock if it becomes free in time.</summary>
    public bool TryEnter(TimeSpan most, out Scope scope)
    {
        if (!_lock.IsHeldByCurrentThread) _which.AssertMayEnter();
        scope = default;
        if (!_lock.TryEnter(most)) return false;
        scope = new Scope(_lock.EnterScope(), _which);
        _lock.Exit(); // one of two entries: the scope has the other
        HeldLocks.Add(_which);
        return true;
    }

    /// <summary>The lock is held until this is disposed.</summary>
    internal readonly ref struct Scope(Lock.Scope scope, LockOrder which)
    {
        private readonly Lock.Scope _scope = scope;

        public void Dispose()
        {
            HeldLocks.Drop(which); // first, for a schedule may end the thread as it leaves
            _scope.Dispose();
        }
    }
#else
    public RankedLock(LockOrder which) => _ = which;

    /// <summary>Enters the lock until the scope is disposed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Scope Enter() => new(_lock.EnterScope());

    /// <summary>Enters the lock if it becomes free in time.</summary>
    public bool TryEnter(TimeSpan most, out Scope scope)
    {
        scope = default;
        if (!_lock.TryEnter(most)) return false;
        scope = new Scope(_lock.EnterScope());
        _lock.Exit(); // one of two entries: the scope has the other
        return true;
    }

    /// <summary>The lock is held until this is disposed.</summary>
    [method: MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref struct Scope(Lock.Scope scope)
    {
        private Lock.Scope _scope = scope;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Dispose() => _scope.Dispose();
    }
#endif

    public bool IsHeldByCurrentThread => _lock.IsHeldByCurrentThread;
}
