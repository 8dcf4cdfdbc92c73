using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Varve.Memory;

/// <summary>
/// A bump allocator over one native reservation: zeroed, 64-byte aligned at its start, addressed by a 32-bit reference
/// in units of a cache line, freed as a whole.
/// </summary>
/// <remarks>
/// The reservation is virtual (<see cref="Reservation"/>), so it may be sized for the worst case and costs what is
/// used. One writer allocates; any thread may resolve a reference that was published to it. Nothing is freed before
/// <see cref="Dispose"/>, and whoever disposes knows that no reader is left.
/// </remarks>
internal sealed unsafe class Arena : IDisposable
{
    /// <summary>Bytes of a cache line, the unit.</summary>
    public const int LineSize = 64;

    private const int PageSize = 4096;

    private readonly long _linesMax;
    private readonly Reservation _reservation;
    private byte* _start;
    private long _lines = 1;   // line 0 is never handed out: reference 0 means none

    /// <summary>Reserves room for <paramref name="bytesMax"/> bytes.</summary>
    /// <param name="bytesMax">Bytes that can be allocated.</param>
    /// <param name="reserve">Reserves so many zeroed bytes.</param>
    /// <exception cref="OutOfMemoryException">The operating system refuses the reservation.</exception>
    public Arena(long bytesMax, Func<long, Reservation> reserve)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesMax);
        _linesMax = (bytesMax + LineSize - 1) / LineSize + 1;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_linesMax, uint.MaxValue, nameof(bytesMax));
        _reservation = reserve(_linesMax * LineSize + LineSize);
        _start = (byte*)(((nuint)_reservation.Address + LineSize - 1) & ~(nuint)(LineSize - 1));
    }

    /// <summary>Address of line 0; stays the same until <see cref="Dispose"/>.</summary>
    public byte* Start => _start;

    /// <summary>Bytes handed out so far.</summary>
    public long BytesUsed => Volatile.Read(ref _lines) * LineSize;

    /// <summary>Bytes that can still be handed out.</summary>
    public long BytesFree => (_linesMax - Volatile.Read(ref _lines)) * LineSize;

    /// <summary>
    /// Takes <paramref name="lines"/> zeroed adjoining lines and returns their reference. Writer only.
    /// </summary>
    /// <exception cref="OutOfMemoryException">The reservation is used up.</exception>
    public uint Allocate(int lines)
    {
        ObjectDisposedException.ThrowIf(_start == null, this);
        var reference = _lines;
        if (reference + lines > _linesMax) throw new OutOfMemoryException("The memtable's reservation is used up.");
        Volatile.Write(ref _lines, reference + lines);
        return (uint)reference;
    }

    /// <summary>The address of what <paramref name="reference"/> names.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* At(uint reference) => _start + (ulong)reference * LineSize;

    /// <summary>
    /// Has the operating system back the first <paramref name="bytes"/> of the reservation now, so that the writer does
    /// not wait for page faults. Any thread, also beside the writer: contents do not change.
    /// </summary>
    public void Populate(long bytes)
    {
        var end = Math.Min(bytes, _linesMax * LineSize);
        for (var offset = 0L; offset < end; offset += PageSize) Interlocked.Or(ref *(long*)(_start + offset), 0);
    }

    /// <summary>
    /// Takes everything back and zeroes what was used; its pages stay. The caller knows that nobody reads any more.
    /// </summary>
    public void Clear()
    {
        NativeMemory.Clear(_start, (nuint)(_lines * LineSize));
        _lines = 1;
    }

    /// <summary>Frees everything. The caller knows that nobody reads any more.</summary>
    public void Dispose()
    {
        _reservation.Dispose();
        _start = null;
    }
}
