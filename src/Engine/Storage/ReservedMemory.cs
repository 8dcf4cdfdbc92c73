using System.Runtime.InteropServices;
using Varve.Memory;

namespace Varve.Storage;

/// <summary>
/// Reserves memory that no file is behind. It is mapped, and not taken from the C library's heap: that keeps what it
/// gets back, and hands it out again with its pages present and zeroed, so that a reservation for the worst case
/// becomes resident whole.
/// </summary>
internal static unsafe class ReservedMemory
{
    /// <summary>Zeroed memory; what is not touched is not there.</summary>
    /// <exception cref="OutOfMemoryException">The operating system refuses it.</exception>
    public static Reservation Reserve(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        return OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() ? new Mapped(bytes) : new Heap(bytes);
    }

    private sealed class Mapped : Reservation
    {
        private readonly nuint _length;

        public Mapped(long bytes)
        {
            _length = (nuint)bytes;
            var address = Libc.MapAnonymous(
                null, _length, Libc.PROT_READ | Libc.PROT_WRITE,
                Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_NORESERVE, -1, 0);
            if ((nint)address == -1) throw new OutOfMemoryException(
                $"The operating system refuses {bytes} bytes of addresses (error {Marshal.GetLastPInvokeError()}).");
            Address = (byte*)address;
        }

        public override void Dispose()
        {
            if (Address == null) return;
            _ = Libc.Unmap(Address, _length); // of a whole mapping of ours: there is nothing that it could refuse
            Address = null;
        }
    }

    /// <summary>Where there is no such mapping.</summary>
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
