using Varve.Memory;

namespace Varve.Storage;

/// <summary>
/// Stands for the engine's class of this name: what is given back stays readable until the schedule is over, and is
/// clear.
/// </summary>
internal static unsafe class ReservedMemory
{
    public static Reservation Reserve(long bytes) => new Heap(bytes);

    private sealed class Heap : Reservation
    {
        public Heap(long bytes) => Address = (byte*)NativeMemory.AllocZeroed((nuint)bytes);

        public override void Dispose()
        {
            NativeMemory.Free(Address);
            Address = null;
        }
    }
}
