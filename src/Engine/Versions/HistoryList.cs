namespace Varve.Versions;

/// <summary>
/// A little of the past, so that a snapshot can be cut slightly behind the last applied entry: the versions that flushes
/// replaced, each of which still has the memtable that was flushed. Used under the gate.
/// </summary>
internal sealed class HistoryList(int entries, long bytes, Reclaimer reclaimer)
{
    private readonly List<Version> _past = [];

    /// <summary>Keeps the version that a flush is about to replace.</summary>
    public void AddLocked(Version replaced)
    {
        replaced.Acquire();
        _past.Add(replaced);
    }

    /// <summary>A version that has the state at an index, referenced for the caller; null when that is too far behind.</summary>
    public Version? AcquireLocked(Version current, ulong index)
    {
        var found = current.Base.LastIndex <= index ? current : _past.FindLast(version => version.Base.LastIndex <= index);
        found?.Acquire();
        return found;
    }

    /// <summary>Lets go of what no cut within the kept number of entries needs, and of the oldest while it takes more than its bytes.</summary>
    public void TrimLocked(Version current, ulong lastApplied)
    {
        var oldest = lastApplied > (ulong)entries ? lastApplied - (ulong)entries : 0;
        while (_past.Count > 0 && ((_past.Count > 1 ? _past[1] : current).Base.LastIndex <= oldest || FlushedBytes() > bytes)) DropFirst();
    }

    /// <summary>Forgets everything: the state was replaced.</summary>
    public void ClearLocked()
    {
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
        reclaimer.Retire(first.Release); // not here: freeing recycles segments, which takes other locks than the gate
    }
}
