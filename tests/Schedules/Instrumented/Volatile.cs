using System.Runtime.CompilerServices;
using Varve.Tests.Schedules.Control;
using Barrier = System.Threading.Volatile;

namespace Varve.Tests.Schedules.Instrumented;

/// <summary>
/// Stands for <c>System.Threading.Volatile</c> in the engine's sources. The scheduler may switch after every access,
/// and before a write too: plain accesses between two of these may then fall on either side of whatever another thread
/// does.
/// </summary>
internal static class Volatile
{
    public static T Read<T>(ref readonly T location, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        var me = Controlled.Current;
        if (me is not null && Unsafe.SizeOf<T>() == sizeof(long) && !RuntimeHelpers.IsReferenceOrContainsReferences<T>()
            && me.Stores.TryForward(ref Unsafe.As<T, long>(ref Unsafe.AsRef(in location)), out var own))
        {
            me.Point("read", file, line);
            return Unsafe.As<long, T>(ref own);
        }

        var value = location;
        Barrier.ReadBarrier();
        me?.Point("read", file, line);
        return value;
    }

    public static void Write<T>(
        ref T location, T value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
        where T : class?
    {
        var me = Controlled.Current;
        me?.Point("before write", file, line);
        me?.Stores.Drain();
        Barrier.Write(ref location, value);
        me?.Point("write", file, line);
    }

    public static void Write(
        ref byte location, byte value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Store(ref location, value, file, line);

    public static void Write(
        ref int location, int value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Store(ref location, value, file, line);

    public static void Write(
        ref uint location, uint value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Store(ref location, value, file, line);

    public static void Write(
        ref bool location, bool value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Store(ref location, value, file, line);

    public static void Write(
        ref ulong location, ulong value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Store(ref location, value, file, line);

    public static void Write(
        ref long location, long value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        var me = Controlled.Current;
        if (me is null || !me.Stores.Buffers(ref location))
        {
            Store(ref location, value, file, line);
            return;
        }

        me.Point("before write", file, line);
        me.Stores.Add(ref location, value);
        if (!me.Delays("delayed write", file, line)) me.Stores.Drain();
        me.Point("write", file, line);
    }

    public static void ReadBarrier([CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        Barrier.ReadBarrier();
        Controlled.Current?.Point("read barrier", file, line);
    }

    public static void WriteBarrier([CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        Barrier.WriteBarrier();
        Controlled.Current?.Point("write barrier", file, line);
    }

    private static void Store<T>(ref T location, T value, string file, int line)
    {
        var me = Controlled.Current;
        me?.Point("before write", file, line);
        me?.Stores.Drain(); // stores leave in order
        Barrier.WriteBarrier();
        location = value;
        me?.Point("write", file, line);
    }
}
