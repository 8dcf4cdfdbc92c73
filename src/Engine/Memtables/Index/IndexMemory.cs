using Varve.Memory;
using Varve.Storage;

namespace Varve.Memtables;

/// <summary>
/// The memory of one index: lines for blocks and overflow, and the buckets of the directory. Both are reservations for
/// as many keys as fit the segment; unused parts take addresses only. One index uses it at a time, and after it is
/// cleared another: its pages are present already, and the first touch of a page costs as much as ten inserts.
/// </summary>
internal sealed class IndexMemory : IDisposable
{
    private const int OperationSizeMin = 24; // header, one byte of key, padding
    // Four rows a 192-byte block at the worst, on all levels; overflow lines on top.
    private const int BlockBytesPerKeyMax = 80;
    // At random: a little over eight rows a block, an eighth more for the levels above, some overflow lines.
    private const int BlockBytesPerKeyUsual = 31;
    private const int ReservationMin = 64 << 10;
    private const int Slack = ReservationMin / 2; // many times as much as splits on all levels take at once
    private long _bytesTouched;

    /// <exception cref="OutOfMemoryException">The operating system refuses the reservations: about four times the
    /// segment.</exception>
    public IndexMemory(long segmentBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(segmentBytes);
        SegmentBytes = segmentBytes;
        Lines = new Arena(
            (segmentBytes / OperationSizeMin * BlockBytesPerKeyMax) + ReservationMin, ReservedMemory.Reserve);
        try
        {
            Buckets = new Arena(HashDirectory.BytesMax(segmentBytes), ReservedMemory.Reserve);
        }
        catch
        {
            Lines.Dispose();
            throw;
        }
    }

    /// <summary>
    /// True if there is room for a number of operations more. Clear memory always has room for those that fit the
    /// segment.
    /// </summary>
    public bool HasRoomFor(int operations) => Lines.BytesFree >= (long)operations * BlockBytesPerKeyMax + Slack;

    /// <summary>The length of the segments that it fits.</summary>
    public long SegmentBytes { get; }

    public Arena Lines { get; }

    public Arena Buckets { get; }

    /// <summary>Bytes in use.</summary>
    public long BytesUsed => Lines.BytesUsed + Buckets.BytesUsed;

    /// <summary>Bytes that are present: in use, once in use, or populated. Any thread.</summary>
    public long BytesPresent => Math.Max(Volatile.Read(ref _bytesTouched), BytesUsed);

    /// <summary>
    /// Makes the memory for about <paramref name="keys"/> keys present. Any thread, also beside the writer.
    /// </summary>
    public void Populate(long keys)
    {
        var buckets = Math.Max(HashDirectory.BytesFor(keys), Buckets.BytesUsed);
        var lines = keys * BlockBytesPerKeyUsual;
        Buckets.Populate(buckets);
        Lines.Populate(lines);
        Volatile.Write(ref _bytesTouched, Math.Max(_bytesTouched, buckets + lines));
    }

    /// <summary>Clears it for another index. The caller has made sure that no reader is left.</summary>
    public void Recycle()
    {
        Volatile.Write(ref _bytesTouched, BytesPresent);
        Lines.Recycle();
        Buckets.Recycle();
    }

    /// <summary>Frees it. The caller has made sure that no reader is left.</summary>
    public void Dispose()
    {
        Buckets.Dispose();
        Lines.Dispose();
    }
}
