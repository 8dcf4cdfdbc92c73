using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Varve.Format;

namespace Varve.Wal;

/// <summary>
/// Searches the part of a segment that no chain of records leads through for valid records.
/// <para>
/// A record may begin at any multiple of 8, and only its checksum tells it from a value in which a client wrote what
/// looks like one: a header of the right offset whose length reaches to the segment's end. Hashing each of those whole
/// would take the square of the segment, which is hours. So the work has a bound, <see cref="HashesMax"/> times the
/// segment, and short records come first: all that are no longer than <see cref="ShortMax"/> are hashed whatever the
/// client wrote, for they cannot use the bound up; longer ones are hashed from the shorter to the longer while there is
/// some left. What is not looked at is taken for a value's bytes, never for damage: else a client could keep a database
/// from opening.
/// </para>
/// </summary>
internal struct TailScan(WalSegment segment)
{
    /// <summary>The bound on hashed bytes, in lengths of the segment. Harmless records overlap little and take one or
    /// two.</summary>
    private const long HashesMax = 32;

    /// <summary>
    /// Of headers at x, x + 8 and x + 80 no two can be: the offset of one is the length, or the type, of the other. So
    /// there is one in 24 bytes at most, and records of this length hash the segment 32 times at most.
    /// </summary>
    private const int ShortMax = 768;

    private const int LengthFactor = 8;

    /// <summary>Bytes hashed so far.</summary>
    public long HashedBytes { get; private set; }

    /// <summary>The farthest that a record found says the log was synced.</summary>
    public LogOffset Synced { get; private set; }

    /// <summary>The end of the last valid record found; -1: none.</summary>
    public long End { get; private set; } = -1;

    /// <summary>The first intact record found that this build does not know, by its offset in the segment.</summary>
    public DecodeError? Foreign { get; private set; }

    /// <summary>Receives the records found, the shorter first; null: they are only counted.</summary>
    public List<WalRecordHeader>? Found { get; init; }

    /// <summary>Scans from an offset to the segment's end.</summary>
    public void Run(long from)
    {
        long above = 0;
        for (long upTo = ShortMax; Pass(from, above, upTo); upTo *= LengthFactor) above = upTo;
    }

    /// <summary>
    /// Reads the records longer than <paramref name="above"/> and up to <paramref name="upTo"/>; true if there are
    /// longer ones and the bound is not used up.
    /// </summary>
    private bool Pass(long from, long above, long upTo)
    {
        var longer = false;
        for (var offset = BeginFrom(from); offset >= 0;)
        {
            var step = (long)WalOperation.Alignment;
            if (WalRecordHeader.MayBeAt(segment.From(offset), offset, out var length))
            {
                longer |= length > upTo;
                if (length > above && length <= upTo)
                {
                    if (HashedBytes + length > HashesMax * segment.Length) return false;
                    HashedBytes += length;
                    if (segment.TryReadRecord(offset, out var header, out var error))
                    {
                        Add(header);
                        step = length;
                    }
                    else if (error.IsUnsupported)
                    {
                        Foreign ??= error with { Offset = offset + error.Offset };
                        step = length;
                    }
                }
            }

            offset = BeginFrom(offset + step);
        }

        return longer;
    }

    /// <summary>
    /// The next offset, in steps of 8, at which a header carries its own offset, as a record's does; -1: there is none.
    /// Vectors pass over other bytes, of which the tail of a recycled segment is full, at the speed of memory.
    /// </summary>
    // SAFETY: `last` leaves a whole header within the mapped segment, which the caller keeps; a vector of four offsets
    // is loaded only if the last of them is at or before `last`.
    private unsafe long BeginFrom(long offset)
    {
        const int Step = WalOperation.Alignment;
        var last = segment.Length - WalRecordHeader.Size;
        var wanted = Vector256.Create(offset) + Vector256.Create(0L, Step, 2 * Step, 3 * Step);
        for (; offset + (3 * Step) <= last; offset += 4 * Step)
        {
            var stored = Vector256.Load((long*)(segment.Base + offset + WalRecordHeader.OffsetField));
            var found = Vector256.Equals(stored, wanted).ExtractMostSignificantBits();
            if (found != 0) return offset + (Step * BitOperations.TrailingZeroCount(found));
            wanted += Vector256.Create(4L * Step);
        }

        for (; offset <= last; offset += Step)
        {
            var stored = Unsafe.ReadUnaligned<long>(segment.Base + offset + WalRecordHeader.OffsetField);
            if (stored == offset) return offset;
        }

        return -1;
    }

    private void Add(in WalRecordHeader header)
    {
        var known = new LogOffset(header.SyncedSegment, header.SyncedOffset);
        if (known > Synced) Synced = known;
        End = Math.Max(End, header.Offset + header.Length);
        Found?.Add(header);
    }
}
