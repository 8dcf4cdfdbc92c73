using Varve.Memory;

namespace Varve.Storage;

/// <summary>
/// Reserves memory without a file behind it. Where the platform can, the memory is mapped, not taken from the C
/// library's heap: that heap keeps freed memory and hands it out again with its pages present and zeroed, so a
/// reservation for the worst case would become resident as a whole.
/// </summary>
internal static class ReservedMemory
{
    /// <summary>Returns zeroed memory; an untouched page takes no memory where the platform can map.</summary>
    /// <exception cref="OutOfMemoryException">The operating system refuses the reservation.</exception>
    public static Reservation Reserve(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        return OperatingSystem.IsLinux() || OperatingSystem.IsMacOS()
            ? new PosixReservation(bytes)
            : new HeapReservation(bytes);
    }
}
