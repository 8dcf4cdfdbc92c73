using System.Runtime.CompilerServices;

namespace Varve.Epochs;

/// <summary>
/// A small number for each living thread that asked for one, from 1 up, so that per-thread slots fit a plain array. The
/// number of a dead thread is handed out again. Process-wide: the same thread has the same number in every engine.
/// </summary>
/// <remarks>
/// A thread's number is given back by the finalizer of an object that only the thread's own static storage refers to.
/// It runs some time after the thread is gone, never before, so no two living threads ever share a number.
/// </remarks>
internal static class ThreadOrdinal
{
    [ThreadStatic]
    private static int _current;

    [ThreadStatic]
    private static Holder? _holder;

    /// <summary>The number of the calling thread. Allocates on the thread's first use only.</summary>
    public static int Current
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            var ordinal = _current;
            return ordinal != 0 ? ordinal : Assign();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Assign()
    {
        var ordinal = Pool.Take();
        _holder = new Holder(ordinal);
        _current = ordinal;
        return ordinal;
    }

    private sealed class Holder(int ordinal)
    {
        ~Holder() => Pool.Recycle(ordinal);
    }

    /// <summary>
    /// Apart from the thread statics, whose class must have nothing to initialize: its reads would check for that.
    /// </summary>
    private static class Pool
    {
        private static readonly RankedLock Gate = new(LockOrder.ThreadOrdinals);
        private static readonly Stack<int> Free = new();
        private static int _last;

        public static int Take()
        {
            using (Gate.Enter()) return Free.TryPop(out var recycled) ? recycled : ++_last;
        }

        public static void Recycle(int ordinal)
        {
            using (Gate.Enter()) Free.Push(ordinal);
        }
    }
}
