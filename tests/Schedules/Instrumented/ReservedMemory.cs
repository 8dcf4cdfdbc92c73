using Varve.Memory;

namespace Varve.Storage;

/// <summary>
/// Replaces the engine's class of this name: released memory stays readable, and zero, until the schedule is over.
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
