using System.Runtime.CompilerServices;
using Varve.Epochs;

namespace Varve.Versions;

/// <summary>
/// The gate, which lets threads in by turns. A free lock goes to the first thread that tries, and an applier at full
/// speed leaves it free for a microsecond at a time: a thread that slept until then finds it taken again, for up to
/// 100 ms. So a thread that is no applier holds the turnstile until it is in, and appliers pass the turnstile before
/// they try again.
/// </summary>
internal sealed class ApplierGate
{
    private readonly RankedLock _gate = new(LockOrder.Gate);
    private readonly RankedLock _turnstile = new(LockOrder.Turnstile);
    private int _queued;

    /// <summary>Enters the gate as an applier, after <see cref="TakeTurn"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public RankedLock.Scope Enter() => _gate.Enter();

    /// <summary>Enters the gate as an applier if it becomes free in time.</summary>
    public bool TryEnter(TimeSpan most, out RankedLock.Scope scope) => _gate.TryEnter(most, out scope);

    /// <summary>Enters the gate in turn with the appliers: for every thread but an applier.</summary>
    public RankedLock.Scope EnterInTurn()
    {
        if (_gate.IsHeldByCurrentThread) return _gate.Enter();
        Interlocked.Increment(ref _queued);
        try
        {
            using (_turnstile.Enter()) return _gate.Enter();
        }
        finally
        {
            Interlocked.Decrement(ref _queued);
        }
    }

    /// <summary>
    /// Lets threads that wait in <see cref="EnterInTurn"/> enter first. For an applier, before it enters the gate.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void TakeTurn()
    {
        if (Volatile.Read(ref _queued) != 0) WaitForTurn();
    }

    /// <summary>Does what <see cref="TakeTurn"/> does, but gives up after the time given.</summary>
    public bool TryTakeTurn(TimeSpan most)
    {
        if (Volatile.Read(ref _queued) == 0) return true;
        if (!_turnstile.TryEnter(most, out var turn)) return false;
        turn.Dispose();
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WaitForTurn()
    {
        using (_turnstile.Enter())
        {
            // Empty: the thread that held it is in the gate by now.
        }
    }
}
