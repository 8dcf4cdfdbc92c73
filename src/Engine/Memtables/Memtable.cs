using Varve.Epochs;
using Varve.Format;
using Varve.Wal;

namespace Varve.Memtables;

/// <summary>A WAL segment, which is the storage, and the index over it.</summary>
internal sealed class Memtable : RefCounted
{
    private readonly MemtableStock _stock;
    private volatile bool _obsolete;
    private SealedAt? _sealed;
    private readonly RankedLock _cleanUpsLock = new(LockOrder.CleanUps);
    private readonly List<(ulong Index, ulong Deadline)> _cleanUps = [];

    // SAFETY: the memtable owns the segment and keeps it mapped until it is freed, and its index with it.
    public unsafe Memtable(WalSegment segment, MemtableStock stock)
    {
        Segment = segment;
        _stock = stock;
        Index = new MemtableIndex(segment.Base, stock.Take(segment.Length));
    }

    public WalSegment Segment { get; }

    public MemtableIndex Index { get; }

    /// <summary>Bytes of memory that it takes: its segment, and what of its index is present.</summary>
    public long Bytes => Segment.Length + Index.Memory.BytesPresent;

    /// <summary>
    /// Set when sealed: the log's position after the memtable's last record. Whoever sees it sees all of the segment's
    /// records within its end.
    /// </summary>
    public LogPosition? Last => Volatile.Read(ref _sealed)?.Last;

    /// <summary>What the census knows of this memtable; used under the census' lock.</summary>
    public MemtableCensus Census { get; } = new();

    public void Seal(LogPosition last) => Volatile.Write(ref _sealed, new SealedAt(last));

    /// <summary>Remembers a clean-up that is logged in the segment. Any thread.</summary>
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

    /// <summary>Says that a synced manifest record made the segment unnecessary (invariant I5).</summary>
    public void MarkObsolete() => _obsolete = true;

    /// <summary>Frees a memtable that nobody has seen yet.</summary>
    public void Abandon(Action<WalSegment> takeSegment)
    {
        _stock.Return(Index.Memory);
        takeSegment(Segment);
    }

    protected override void Free()
    {
        LockOrder.Sync.AssertMayEnter(); // giving the segment back waits for the sync that is under way
        _stock.Return(Index.Memory);
        if (_obsolete) _stock.Return(Segment);
        else Segment.Dispose();
    }

    /// <summary>
    /// By reference, so that it is published whole and in order: the census reads it without the gate.
    /// </summary>
    private sealed record SealedAt(LogPosition Last);
}

/// <summary>How far the census has folded a memtable, and the leased puts it met.</summary>
internal sealed class MemtableCensus
{
    /// <summary>Offset of the next record to fold.</summary>
    public long NextRecord { get; set; } = WalSegmentHeader.Size;

    /// <summary>Leased puts of the folded part, by deadline.</summary>
    public SortedSet<(ulong Deadline, OperationRef Reference)> Leases { get; } = [];

    /// <summary>Once the whole memtable is folded: the live count at its end, and the time it is true at.</summary>
    public (long LiveCount, ulong TimeMs)? AtEnd { get; set; }

    /// <summary>Forgets what was folded.</summary>
    public void Restart()
    {
        NextRecord = WalSegmentHeader.Size;
        Leases.Clear();
        AtEnd = null;
    }
}
