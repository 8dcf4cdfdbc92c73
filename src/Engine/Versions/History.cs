using Varve.Epochs;
using Varve.Format;
using Varve.Wal;

namespace Varve.Versions;

/// <summary>
/// The versions that flushes replaced, each of which still has the memtables that were flushed, so that a snapshot can
/// be cut, and changes can be read, slightly behind the last applied entry. Written under the gate: contiguous with the
/// current version. Any thread reads it without the gate: a caller that asks for a cut must not wait for appliers,
/// which would leave its index behind.
/// </summary>
internal sealed class History(int entries, long bytes, Reclaimer reclaimer)
{
    private readonly RankedLock _lock = new(LockOrder.History);
    private readonly List<DbVersion> _past = [];
    private LostChanges _lost;

    /// <summary>The changes that can no longer be read.</summary>
    public LostChanges Lost
    {
        get
        {
            using (_lock.Enter()) return _lost;
        }
    }

    /// <summary>Records that changes can no longer be read. Before that is true.</summary>
    public void Lose(LostChanges lost)
    {
        using (_lock.Enter())
            if (lost.Last > _lost.Last) _lost = lost;
    }

    /// <summary>Records that the changes of a segment can no longer be read. Before that is true.</summary>
    public void Lose(WalSegment segment)
    {
        var at = segment.LastChange;
        if (at == 0 || !WalRecordHeader.TryReadVerified(segment.From(at), at, out var record)) return;
        Lose(new LostChanges(new LogOffset(segment.Number, at), record.LastIndex));
    }

    /// <summary>The oldest segment whose number is not below one, and whose memtable is of the past. Under a
    /// pin.</summary>
    public WalSegment? FindSegment(ulong number)
    {
        using (_lock.Enter())
        {
            foreach (var version in _past)
                for (var i = version.Memtables.Length - 1; i >= 0; i--)
                    if (version.Memtables[i].Segment is var segment && segment.Number >= number) return segment;
        }

        return null;
    }

    /// <summary>The oldest segment that may have changes from an index on, among memtables of the past. Under a
    /// pin.</summary>
    public WalSegment? FindSegmentFrom(ulong index)
    {
        using (_lock.Enter())
        {
            foreach (var version in _past)
                for (var i = version.Memtables.Length - 1; i >= 0; i--)
                    if (version.Memtables[i].Last is { } last && last.Index >= index)
                        return version.Memtables[i].Segment;
        }

        return null;
    }

    /// <summary>Keeps the version that a flush is about to replace.</summary>
    public void Add(DbVersion replaced)
    {
        replaced.Acquire();
        using (_lock.Enter()) _past.Add(replaced);
    }

    /// <summary>
    /// A version that has the state at an index, with a reference for the caller; null if the index is too far behind,
    /// or if history is of another generation than <paramref name="current"/>.
    /// </summary>
    /// <param name="current">The current version, pinned.</param>
    /// <param name="index">At or below the index that was applied to it.</param>
    public DbVersion? TryAcquire(DbVersion current, ulong index)
    {
        if (current.Base.LastIndex <= index) return current.TryAcquire() ? current : null;
        using (_lock.Enter())
        {
            var found = _past.FindLast(version => version.Base.LastIndex <= index);
            if (found?.Generation != current.Generation) return null;
            found.Acquire();
            return found;
        }
    }

    /// <summary>
    /// Drops the versions that no cut within the kept number of entries needs, and the oldest ones while history takes
    /// more than its bytes.
    /// </summary>
    /// <param name="currentBase">Index of the last entry in the tables of the version that is or becomes
    /// current.</param>
    /// <param name="lastApplied">Index of the last entry in the log.</param>
    public void DropBehind(ulong currentBase, ulong lastApplied)
    {
        var oldest = lastApplied > (ulong)entries ? lastApplied - (ulong)entries : 0;
        using (_lock.Enter())
            while (_past.Count > 0
                && ((_past.Count > 1 ? _past[1].Base.LastIndex : currentBase) <= oldest || FlushedBytes() > bytes))
                DropFirst();
    }

    /// <summary>Allocates the memory that <see cref="DropAll"/> needs, and one more retirement after it.</summary>
    public void ReserveDropAll()
    {
        using (_lock.Enter()) reclaimer.Reserve(_past.Count + 1);
    }

    /// <summary>Drops all versions, because the state was replaced or the engine ends.</summary>
    public void DropAll()
    {
        using (_lock.Enter())
            while (_past.Count > 0) DropFirst();
    }

    /// <summary>Bytes of the segments and tables that history keeps and a version does not have.</summary>
    public long BytesBeside(DbVersion version)
    {
        var tables = version.Runs.SelectMany(run => run.Tables).ToHashSet();
        using (_lock.Enter())
        {
            var sum = 0L;
            foreach (var past in _past)
            {
                if (past.Memtables is [.., var flushed] && !version.Memtables.Contains(flushed))
                    sum += flushed.Segment.Length;
                foreach (var run in past.Runs)
                    foreach (var table in run.Tables)
                        if (tables.Add(table)) sum += table.Descriptor.Length;
            }

            return sum;
        }
    }

    /// <summary>Bytes of the segments that history alone keeps.</summary>
    private long FlushedBytes()
    {
        var sum = 0L;
        foreach (var version in _past)
            foreach (var flushed in version.Memtables) sum += flushed.Segment.Length;
        return sum;
    }

    private void DropFirst()
    {
        var first = _past[0];
        for (var i = first.Memtables.Length - 1; i >= 0; i--) Lose(first.Memtables[i].Segment);
        _past.RemoveAt(0);
        reclaimer.Retire(first); // not released here: freeing recycles a segment, which takes locks above this one
    }
}
