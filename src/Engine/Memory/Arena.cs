using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Varve.Memory;

/// <summary>
/// A bump allocator over one native reservation. Its memory is zeroed, begins at a multiple of 64, is addressed by a
/// 32-bit reference in units of a cache line, and is freed as a whole.
/// </summary>
/// <remarks>
/// The reservation is virtual (<see cref="Reservation"/>): it is sized for the worst case and takes the memory that is
/// used. One writer allocates. Any thread resolves a reference that was published to it. Nothing is freed before
/// <see cref="Dispose"/> (I8).
/// </remarks>
internal sealed class Arena : IDisposable
{
    /// <summary>Bytes of a cache line, the unit.</summary>
    public const int LineSize = 64;

    private const int PageSize = 4096;

    private readonly long _linesMax;
    private readonly Reservation _reservation;
    private long _lines = 1; // line 0 is never allocated: reference 0 means none

    // SAFETY: the reservation, which this object owns, begins here with room for LinesMax lines; null once disposed.
    private unsafe byte* _start;

    /// <summary>Reserves room for <paramref name="bytesMax"/> bytes.</summary>
    /// <param name="bytesMax">The number of bytes that can be allocated.</param>
    /// <param name="reserve">Reserves a number of zeroed bytes.</param>
    /// <exception cref="OutOfMemoryException">The operating system refuses the reservation.</exception>
    // SAFETY: one line more than needed is reserved, so all lines are inside after rounding the start up to a line.
    public unsafe Arena(long bytesMax, Func<long, Reservation> reserve)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesMax);
        _linesMax = (bytesMax + LineSize - 1) / LineSize + 1;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_linesMax, uint.MaxValue, nameof(bytesMax));
        _reservation = reserve(_linesMax * LineSize + LineSize);
        _start = (byte*)(((nuint)_reservation.Address + LineSize - 1) & ~(nuint)(LineSize - 1));
    }

    /// <summary>The address of line 0; the same until <see cref="Dispose"/>.</summary>
    // SAFETY: shows the address and reads nothing.
    public unsafe byte* Start => _start;

    /// <summary>Bytes allocated so far.</summary>
    public long BytesUsed => Volatile.Read(ref _lines) * LineSize;

    /// <summary>Bytes that can still be allocated.</summary>
    public long BytesFree => (_linesMax - Volatile.Read(ref _lines)) * LineSize;

    /// <summary>
    /// Allocates <paramref name="lines"/> zeroed adjoining lines and returns their reference. Writer only.
    /// </summary>
    /// <exception cref="OutOfMemoryException">The reservation is used up.</exception>
    // SAFETY: compares a pointer and reads nothing.
    public unsafe uint Allocate(int lines)
    {
        ObjectDisposedException.ThrowIf(_start == null, this);
        var reference = _lines;
        if (reference + lines > _linesMax) throw new OutOfMemoryException("The memtable's reservation is used up.");
        Volatile.Write(ref _lines, reference + lines);
        return (uint)reference;
    }

    /// <summary>The address that <paramref name="reference"/> names.</summary>
    // SAFETY: Allocate returned the reference, so it names a line of the reservation; I8 keeps the arena for readers.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe byte* At(uint reference) => _start + (ulong)reference * LineSize;

    /// <summary>
    /// Makes the first <paramref name="bytes"/> of the reservation present, so that the writer does not wait for page
    /// faults. Any thread, also beside the writer: contents do not change.
    /// </summary>
    // SAFETY: the end is capped by the reservation, and an atomic OR with 0 changes no byte that the writer stores.
    public unsafe void Populate(long bytes)
    {
        var end = Math.Min(bytes, _linesMax * LineSize);
        for (var offset = 0L; offset < end; offset += PageSize) Interlocked.Or(ref *(long*)(_start + offset), 0);
    }

    /// <summary>
    /// Zeroes the allocated lines for another use; their pages stay present. The caller has made sure that no reader is
    /// left.
    /// </summary>
    // SAFETY: the allocated lines are inside the reservation.
    public unsafe void Recycle()
    {
        NativeMemory.Clear(_start, (nuint)(_lines * LineSize));
        _lines = 1;
    }

    /// <summary>Frees the reservation. The caller has made sure that no reader is left.</summary>
    // SAFETY: the address is cleared with the reservation, so Allocate throws from here on.
    public unsafe void Dispose()
    {
        _reservation.Dispose();
        _start = null;
    }
}
