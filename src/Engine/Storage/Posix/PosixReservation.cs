using System.Runtime.InteropServices;
using Varve.Memory;

namespace Varve.Storage;

/// <summary>An anonymous mapping: a page takes memory once it is touched.</summary>
internal sealed class PosixReservation : Reservation
{
    private readonly nuint _length;

    /// <exception cref="OutOfMemoryException">The operating system refuses the mapping.</exception>
    // SAFETY: the kernel chooses the addresses; this object owns them until Dispose unmaps them.
    public unsafe PosixReservation(long bytes)
    {
        _length = (nuint)bytes;
        var address = Libc.MapAnonymous(
            null, _length, Libc.PROT_READ | Libc.PROT_WRITE,
            Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_NORESERVE, -1, 0);
        if ((nint)address == -1) throw new OutOfMemoryException(
            $"The operating system refuses {bytes} bytes of addresses (error {Marshal.GetLastPInvokeError()}).");
        Address = (byte*)address;
    }

    // SAFETY: unmaps exactly what the constructor mapped, once; the caller has made sure that no reader is left.
    public override unsafe void Dispose()
    {
        if (Address == null) return;
        _ = Libc.Unmap(Address, _length); // cannot fail: the range is one whole mapping of ours
        Address = null;
    }
}
