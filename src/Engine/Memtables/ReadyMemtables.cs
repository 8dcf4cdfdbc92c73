using Varve.Epochs;
using Varve.Storage;
using Varve.Wal;

namespace Varve.Memtables;

/// <summary>
/// The memtables made ahead: their segments, and indexes whose memory is present, so that a rotation costs an applier
/// nothing but the switch. Any thread.
/// <list type="bullet">
/// <item>How many. None until the active one is a quarter full (<see cref="Expect"/>): a database with little in it
/// takes little, and an open does not compete with what it need not make. Then one; once they are full-sized two, for a
/// burst can fill a segment in less time than it takes to make one. One more for each time that an applier had to wait,
/// one less when for a while none would have, and fewer if the budget says so.</item>
/// <item>How large. A database's first one is small (<see cref="SegmentPool.RestingLength"/>). Each that is filled
/// makes the next <see cref="SegmentPool.Growth"/> times as large, up to full size. When the engine rests
/// (<see cref="ReleaseIdle"/>) they become small again.</item>
/// <item>Only the next one's segment is warm: what is made present is written to the device, used or not.</item>
/// </list>
/// </summary>
/// <param name="segments">Makes the segments.</param>
/// <param name="indexes">Has the memory for the indexes.</param>
/// <param name="budget">Says how many there may be.</param>
internal sealed class ReadyMemtables(SegmentPool segments, IndexPool indexes, MemoryBudget budget) : IDisposable
{
    private const int AheadMin = 2;
    private const int CalmTakesMax = 16;

    // Held while a memtable is made: one after the other, for they are numbered in order (I6).
    private readonly RankedLock _making = new(LockOrder.MemtableMaking);
    private readonly RankedLock _lock = new(LockOrder.ReadyMemtables); // taken under _making or alone, never for long
    private readonly Queue<Memtable> _ready = new();
    private long _length = segments.RestingLength; // of segments that are made
    private Memtable? _warm; // the last one that was made warm
    private int _readyCount;
    private int _ahead;
    private int _calmTakes;
    private long _usualKeys;
    private volatile bool _awaitsLoad = true;
    private bool _disposed;

    /// <summary>True when the next <see cref="Next"/> of a usual size will not wait.</summary>
    public bool IsReady => Volatile.Read(ref _readyCount) > 0;

    /// <summary>True if one is ready that has room for a record.</summary>
    public bool HasRoom(long room)
    {
        using (_lock.Enter())
            return _ready.TryPeek(out var next) && room <= next.Segment.Length - next.Segment.End;
    }

    /// <summary>Bytes of those that are ready.</summary>
    public long BytesReady
    {
        get
        {
            using (_lock.Enter()) return _ready.Sum(memtable => memtable.Bytes);
        }
    }

    /// <summary>Bytes of the segments of those that are ready.</summary>
    public long SegmentBytesReady
    {
        get
        {
            using (_lock.Enter()) return _ready.Sum(memtable => memtable.Segment.Length);
        }
    }

    /// <summary>True while none is made ahead: what is applied may never fill the active one.</summary>
    public bool AwaitsLoad => _awaitsLoad;

    /// <summary>
    /// Records that the active memtable fills up: the next <see cref="Prepare"/> makes its successor.
    /// </summary>
    public void Expect(Memtable active)
    {
        using (_lock.Enter())
        {
            if (!_awaitsLoad) return;
            _awaitsLoad = false;
            _ahead = 1;
            _length = Math.Min(_length * SegmentPool.Growth, segments.Length);
            _usualKeys = (long)((double)active.Index.KeyCount * _length / active.Segment.End);
        }
    }

    /// <summary>
    /// Makes one small memtable, though none be expected, unless one is ready; where there is no room for it, none.
    /// </summary>
    public void PrepareOne()
    {
        try
        {
            TryPrepareOne(aheadMin: 1);
        }
        catch (Exception e) when (Shortage.IsMet(e) || e is OutOfMemoryException)
        {
        }
    }

    /// <summary>
    /// Makes memtables ahead of the appliers, up to the number wanted or as many as there is room for. An applier that
    /// finds none makes one itself, and gets the failure.
    /// </summary>
    public void Prepare()
    {
        try
        {
            do WarmNext();
            while (TryPrepareOne(aheadMin: 0));
        }
        catch (Exception e) when (Shortage.IsMet(e) || e is OutOfMemoryException)
        {
        }
    }

    /// <summary>Begins with the memtable that is active when the engine starts.</summary>
    /// <param name="activeLength">The length of its segment.</param>
    public void Start(long activeLength)
    {
        using (_lock.Enter()) _length = Math.Min(activeLength, segments.Length);
    }

    /// <summary>Gives an empty memtable with room for a record; the caller's one reference.</summary>
    /// <param name="room">Bytes of the record.</param>
    /// <param name="filled">The memtable that it is to follow because that is full; null: it is not.</param>
    public Memtable Next(long room, Memtable? filled)
    {
        using (_lock.Enter())
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (filled is not null)
            {
                Expect(filled);
                Pace();
                _usualKeys = (long)((double)filled.Index.KeyCount * _length / filled.Segment.Length);
            }
        }

        var next = TryDequeue(room) ?? MakeNow(room);
        if (next.Segment.Length >= segments.Length) return next;
        using (_lock.Enter()) (_ahead, _length, _awaitsLoad) = (0, next.Segment.Length, true);
        return next;
    }

    private Memtable MakeNow(long room)
    {
        using (_making.Enter())
        {
            // Another thread may have made one meanwhile.
            if (TryDequeue(room) is { } made) return made;
            // A larger one is needed; the numbers of those that are ready would be out of order after it.
            DropReady(segments.Recycle);
            return Make(room);
        }
    }

    /// <summary>Releases all ready memtables, and makes none until one is expected; the next are small.</summary>
    public void ReleaseIdle()
    {
        using (_making.Enter())
        {
            using (_lock.Enter()) (_ahead, _length, _awaitsLoad) = (0, segments.RestingLength, true);
            DropReady(segments.Recycle);
        }
    }

    public void Dispose()
    {
        using (_making.Enter())
        {
            using (_lock.Enter()) _disposed = true;
            DropReady(segments.Delete);
        }
    }

    /// <summary>
    /// Makes the next one's segment warm. An applier may take it meanwhile, and then it is held here, so that it
    /// outlives this whatever comes of it.
    /// </summary>
    private void WarmNext()
    {
        Memtable? next;
        using (_making.Enter())
        {
            using (_lock.Enter())
            {
                if (!_ready.TryPeek(out next) || next == _warm) return;
                next.Acquire();
                _warm = next;
            }

            segments.Warm(next.Segment);
        }

        next.Release(); // outside the making lock: the last release waits for a sync
    }

    private bool TryPrepareOne(int aheadMin)
    {
        Memtable memtable;
        using (_making.Enter())
        {
            using (_lock.Enter())
                if (_disposed || _ready.Count >= Math.Max(_ahead, aheadMin)) return false;
            memtable = Make(0);
            memtable.Acquire(); // an applier may take it while its index is made present
            using (_lock.Enter())
            {
                _ready.Enqueue(memtable);
                Volatile.Write(ref _readyCount, _ready.Count);
            }

            memtable.Index.Populate(_usualKeys);
        }

        memtable.Release();
        return true;
    }

    /// <summary>The next that is ready, if it has the room.</summary>
    private Memtable? TryDequeue(long room)
    {
        using (_lock.Enter())
        {
            if (!_ready.TryPeek(out var next) || room > next.Segment.Length - next.Segment.End) return null;
            _ready.Dequeue();
            Volatile.Write(ref _readyCount, _ready.Count);
            return next;
        }
    }

    private Memtable Make(long room)
    {
        long length;
        using (_lock.Enter()) length = _length;
        var segment = segments.Acquire(room, length);
        try
        {
            return new Memtable(segment, indexes, segments);
        }
        catch
        {
            segments.Recycle(segment);
            throw;
        }
    }

    private void Pace()
    {
        // What was ready says whether the makers keep up.
        _calmTakes = _ready.Count < _ahead ? 0 : _calmTakes + 1;
        if (_ready.Count == 0) _ahead++;
        else if (_calmTakes == CalmTakesMax) (_ahead, _calmTakes) = (_ahead - 1, 0);
        _ahead = Math.Clamp(_ahead, Math.Min(AheadMin, budget.AheadMax), budget.AheadMax);
    }

    private void DropReady(Action<WalSegment> takeSegment)
    {
        while (TryDequeue(0) is { } memtable) memtable.ReleaseTo(takeSegment);
    }
}
