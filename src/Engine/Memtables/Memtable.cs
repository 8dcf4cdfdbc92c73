using Varve.Epochs;
using Varve.Format;
using Varve.Wal;

namespace Varve.Memtables;

/// <summary>A WAL segment, which is the storage, and the index over it.</summary>
internal sealed class Memtable : RefCounted
{
    private readonly IndexPool _indexes;
    private readonly SegmentPool? _segments;
    private volatile bool _obsolete;
    private SealedAt? _sealed;
    private readonly RankedLock _cleanUpsLock = new(LockOrder.CleanUps);
    private readonly List<(ulong Index, ulong Deadline)> _cleanUps = [];

    /// <param name="segment">Its storage, which it owns from here on.</param>
    /// <param name="indexes">Has the memory of its index.</param>
    /// <param name="segments">Takes the segment if it becomes unnecessary; null where none does: an inspection.</param>
    // SAFETY: the memtable owns the segment and keeps it mapped until it is freed, and its index with it.
    public unsafe Memtable(WalSegment segment, IndexPool indexes, SegmentPool? segments)
    {
        Segment = segment;
        (_indexes, _segments) = (indexes, segments);
        Index = new MemtableIndex(segment.Base, indexes.Rent(segment.Length));
    }

    public WalSegment Segment { get; }

    public MemtableIndex Index { get; }

    /// <summary>Bytes of memory that it takes: its segment, and what of its index is present.</summary>
    public long Bytes => Segment.Length + Index.Memory.BytesPresent;

    /// <summary>
    /// The log's position after the memtable's last record; null until the memtable is sealed. A thread that sees it
    /// sees all records of the segment.
    /// </summary>
    public LogPosition? Last => Volatile.Read(ref _sealed)?.Last;

    /// <summary>The part of this memtable that the count of live keys has folded; under the count's lock.</summary>
    public FoldState Fold { get; } = new();

    /// <summary>
    /// A walk over the records from an offset on. It ends at the seal, behind which a recycled segment may still have
    /// records of its life before. In an active memtable the caller stops at an index that is published.
    /// </summary>
    public WalRecordReader Records(long from = WalSegmentHeader.Size) =>
        Segment.Records(from, Last is null ? Segment.Length : Segment.End);

    /// <summary>The mark of the outer log at <see cref="Last"/>; empty until the memtable is sealed.</summary>
    public LogMark Mark => Volatile.Read(ref _sealed)?.Mark ?? default;

    public void Seal(LogPosition last, in LogMark mark) => Volatile.Write(ref _sealed, new SealedAt(last, mark));

    /// <summary>Adds a clean-up that is logged in the segment. Any thread.</summary>
    /// <param name="index">The log's index at the record.</param>
    /// <param name="deadline">The largest deadline that it reported.</param>
    public void NoteCleanUp(ulong index, ulong deadline)
    {
        using (_cleanUpsLock.Enter()) _cleanUps.Add((index, deadline));
    }

    /// <summary>
    /// The largest deadline reported by the segment's clean-ups up to an index; 0 if there are none. Any thread.
    /// </summary>
    public ulong CleanedAt(ulong index)
    {
        var cleaned = 0UL;
        using (_cleanUpsLock.Enter())
        {
            foreach (var (at, deadline) in _cleanUps)
                if (at <= index) cleaned = Math.Max(cleaned, deadline);
        }

        return cleaned;
    }

    /// <summary>Lets the segment be recycled: a synced manifest record made it unnecessary (I5).</summary>
    public void DropSegment() => _obsolete = true;

    /// <summary>Recycles the index of a memtable that no other thread has seen, and passes the segment on.</summary>
    public void ReleaseTo(Action<WalSegment> takeSegment)
    {
        _indexes.Recycle(Index.Memory);
        takeSegment(Segment);
    }

    protected override void Free()
    {
        LockOrder.Sync.AssertMayEnter(); // giving the segment back waits for the sync that is under way
        _indexes.Recycle(Index.Memory);
        if (_obsolete && _segments is not null) _segments.RecycleAfterSync(Segment);
        else Segment.Dispose();
    }

    /// <summary>
    /// By reference, so that it is published whole and in order: the counter reads it without the gate.
    /// </summary>
    private sealed record SealedAt(LogPosition Last, LogMark Mark);
}
