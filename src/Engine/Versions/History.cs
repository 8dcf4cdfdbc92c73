using Varve.Epochs;

namespace Varve.Versions;

/// <summary>
/// A little of the past, so that a snapshot can be cut slightly behind the last applied entry: the versions that
/// flushes replaced, each of which still has the memtable that was flushed. Any thread; changed under the gate, so that
/// what it holds and what is current always join, and looked at without it: who asks for a cut must not wait for
/// appliers, who leave its index behind.
/// </summary>
internal sealed class History(int entries, long bytes, Reclaimer reclaimer)
{
    private readonly RankedLock _lock = new(LockOrder.History);
    private readonly List<DbVersion> _past = [];

    /// <summary>Keeps the version that a flush is about to replace.</summary>
    public void Add(DbVersion replaced)
    {
        replaced.Acquire();
        using (_lock.Enter()) _past.Add(replaced);
    }

    /// <summary>
    /// A version that has the state at an index, referenced for the caller; null when that is too far behind, or when
    /// another state than <paramref name="current"/>'s is remembered by now.
    /// </summary>
    /// <param name="current">The current version, pinned.</param>
    /// <param name="index">At or below what was applied to it.</param>
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
    /// Lets go of what no cut within the kept number of entries needs, and of the oldest while it takes more than its
    /// bytes.
    /// </summary>
    /// <param name="currentBase">Index of the last entry in the tables of the version that is or becomes
    /// current.</param>
    /// <param name="lastApplied">Index of the last entry in the log.</param>
    public void Trim(ulong currentBase, ulong lastApplied)
    {
        var oldest = lastApplied > (ulong)entries ? lastApplied - (ulong)entries : 0;
        using (_lock.Enter())
            while (_past.Count > 0
                && ((_past.Count > 1 ? _past[1].Base.LastIndex : currentBase) <= oldest || FlushedBytes() > bytes))
                DropFirst();
    }

    /// <summary>Takes the memory that <see cref="Clear"/> needs, and one more retiring after it.</summary>
    public void ReserveClear()
    {
        using (_lock.Enter()) reclaimer.Reserve(_past.Count + 1);
    }

    /// <summary>Forgets everything: the state was replaced.</summary>
    public void Clear()
    {
        using (_lock.Enter())
            while (_past.Count > 0) DropFirst();
    }

    /// <summary>Bytes of the segments that only the past still needs.</summary>
    private long FlushedBytes()
    {
        var sum = 0L;
        foreach (var version in _past)
            if (version.Memtables is [.., var flushed]) sum += flushed.Segment.Length;
        return sum;
    }

    private void DropFirst()
    {
        var first = _past[0];
        _past.RemoveAt(0);
        reclaimer.Retire(first); // not released here: freeing recycles segments, which takes other locks than the gate
    }
}
