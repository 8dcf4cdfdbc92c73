using System.Runtime.InteropServices;
using Varve.Memory;

namespace Varve.Storage;

/// <summary>Zeroed heap memory, for systems without anonymous mappings.</summary>
internal sealed class HeapReservation : Reservation
{
    // SAFETY: this object owns the allocation until Dispose frees it.
    public unsafe HeapReservation(long bytes) => Address = (byte*)NativeMemory.AllocZeroed((nuint)bytes);

    // SAFETY: frees what the constructor allocated, once; the caller has made sure that no reader is left.
    public override unsafe void Dispose()
    {
        NativeMemory.Free(Address);
        Address = null;
    }
}
