using System.Runtime.CompilerServices;
using Varve.Tests.Schedules.Control;
using Real = System.Threading.Interlocked;

namespace Varve.Tests.Schedules.Instrumented;

/// <summary>Stands for <c>System.Threading.Interlocked</c>: one step each, and a full fence.</summary>
internal static class Interlocked
{
    public static int Increment(ref int location, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        var me = Enter(file, line);
        var value = Real.Increment(ref location);
        me?.Point("increment", file, line);
        return value;
    }

    public static long Increment(ref long location, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        var me = Enter(file, line);
        var value = Real.Increment(ref location);
        me?.Point("increment", file, line);
        return value;
    }

    public static ulong Increment(
        ref ulong location, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        var me = Enter(file, line);
        var value = Real.Increment(ref location);
        me?.Point("increment", file, line);
        return value;
    }

    public static int Decrement(ref int location, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        var me = Enter(file, line);
        var value = Real.Decrement(ref location);
        me?.Point("decrement", file, line);
        return value;
    }

    public static long Add(
        ref long location, long value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        var me = Enter(file, line);
        var sum = Real.Add(ref location, value);
        me?.Point("add", file, line);
        return sum;
    }

    public static T Exchange<T>(
        ref T location, T value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        var me = Enter(file, line);
        var before = Real.Exchange(ref location, value);
        me?.Point("exchange", file, line);
        return before;
    }

    public static T CompareExchange<T>(
        ref T location, T value, T comparand, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        var me = Enter(file, line);
        var before = Real.CompareExchange(ref location, value, comparand);
        me?.Point("compare-exchange", file, line);
        return before;
    }

    public static long Or(
        ref long location, long value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        var me = Enter(file, line);
        var before = Real.Or(ref location, value);
        me?.Point("or", file, line);
        return before;
    }

    public static ulong Or(
        ref ulong location, ulong value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        var me = Enter(file, line);
        var before = Real.Or(ref location, value);
        me?.Point("or", file, line);
        return before;
    }

    /// <summary>Empties the store buffer of every thread, whether it runs or not.</summary>
    public static void MemoryBarrierProcessWide([CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        var me = Controlled.Current;
        if (me is null)
        {
            Real.MemoryBarrierProcessWide();
            return;
        }

        me.Point("before process-wide fence", file, line);
        me.Scheduler.FenceAll();
        me.Point("process-wide fence", file, line);
    }

    private static Controlled? Enter(string file, int line)
    {
        var me = Controlled.Current;
        me?.Point("before interlocked", file, line);
        me?.Stores.Drain();
        return me;
    }
}
