using Varve.Tests.Schedules.Control;
using Real = System.Runtime.InteropServices.NativeMemory;

namespace Varve.Tests.Schedules.Instrumented;

/// <summary>
/// Replaces <c>System.Runtime.InteropServices.NativeMemory</c>: freed memory is cleared and kept until the schedule is
/// over. A late reader then finds zeros, and the scenario's oracle reports it.
/// </summary>
internal static unsafe class NativeMemory
{
    private const int Header = 64;

    public static void* Alloc(nuint bytes) => WithSize(Real.Alloc(bytes + Header), bytes);

    public static void* AllocZeroed(nuint bytes) => WithSize(Real.AllocZeroed(bytes + Header), bytes);

    public static void Clear(void* address, nuint bytes) => Real.Clear(address, bytes);

    public static void Free(void* address)
    {
        if (address == null) return;
        var start = (byte*)address - Header;
        if (Controlled.Current is { } me)
        {
            Real.Clear(address, *(nuint*)start);
            me.Scheduler.Quarantine((nint)start);
            return;
        }

        Real.Free(start);
    }

    public static void* Realloc(void* address, nuint bytes)
    {
        var moved = Alloc(bytes);
        if (address != null)
            Buffer.MemoryCopy(address, moved, bytes, Math.Min(bytes, *(nuint*)((byte*)address - Header)));
        Free(address);
        return moved;
    }

    public static void* AlignedAlloc(nuint bytes, nuint alignment) => Real.AlignedAlloc(bytes, alignment);

    public static void AlignedFree(void* address) => Real.AlignedFree(address);

    private static void* WithSize(void* start, nuint bytes)
    {
        *(nuint*)start = bytes;
        return (byte*)start + Header;
    }
}
