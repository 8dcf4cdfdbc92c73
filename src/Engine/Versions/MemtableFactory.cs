using Varve.Wal;

namespace Varve.Versions;

/// <summary>
/// Keeps the next memtables ready: their segments, and an index whose memory is present, so that a rotation costs an applier
/// nothing but the switch. One ahead until it is taken, so that an open does not compete with what it need not make yet. Then two, for a burst can
/// fill a segment in less time than it takes to make one; one more for each time that an applier had to wait, and one less when for a while none
/// would have; fewer where the budget says so. Any thread.
/// </summary>
internal sealed class MemtableFactory(SegmentPool pool, MemtableStock stock, MemoryBudget budget) : IDisposable
{
    private const int AheadMin = 2;
    private const int CalmTakesMax = 16;

    private readonly Lock _making = new();    // held while a memtable is made: one after the other, for they are numbered in order
    private readonly Lock _lock = new();      // taken under _making or alone, and never held for long
    private readonly Queue<Memtable> _ready = new();
    private int _readyCount;
    private int _ahead = 1;
    private int _calmTakes;
    private long _usualKeys;
    private bool _disposed;

    /// <summary>True when the next <see cref="Take"/> of a usual size will not wait.</summary>
    public bool IsReady => Volatile.Read(ref _readyCount) > 0;

    /// <summary>Bytes of those that are ready.</summary>
    public long BytesReady
    {
        get
        {
            lock (_lock) return _ready.Sum(memtable => memtable.Bytes);
        }
    }

    /// <summary>Makes as many memtables as are to be ahead.</summary>
    public void Prepare()
    {
        while (TryPrepareOne())
        {
        }
    }

    /// <summary>An empty memtable with room for a record; the caller's one reference. <paramref name="usualKeys"/> is how many keys the last one held.</summary>
    public Memtable Take(long room, long usualKeys)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            Pace();
            _usualKeys = usualKeys;
        }

        if (TakeReady(room) is { } ready) return ready;
        lock (_making)
        {
            // Whoever was making one meanwhile made it for us.
            if (TakeReady(room) is { } made) return made;
            // A larger one is needed; the numbers of those that are ready would be out of order after it.
            DropReady(pool.Recycle);
            return Make(room);
        }
    }

    /// <summary>Lets go of all that are ready but the next, until that is taken.</summary>
    public void LetGo()
    {
        lock (_making)
        {
            Memtable[] ready;
            lock (_lock)
            {
                _ahead = 1;
                if (_ready.Count < 2) return;
                ready = [.. _ready];
                _ready.Clear();
                _ready.Enqueue(ready[0]);
                Volatile.Write(ref _readyCount, 1);
            }

            foreach (var memtable in ready[1..]) memtable.Abandon(pool.Recycle);
        }
    }

    public void Dispose()
    {
        lock (_making)
        {
            lock (_lock) _disposed = true;
            DropReady(static segment => segment.Dispose());
        }
    }

    private bool TryPrepareOne()
    {
        lock (_making)
        {
            lock (_lock)
                if (_disposed || _ready.Count >= _ahead) return false;
            var memtable = Make(0);
            memtable.Index.Populate(_usualKeys);
            lock (_lock)
            {
                _ready.Enqueue(memtable);
                Volatile.Write(ref _readyCount, _ready.Count);
            }

            return true;
        }
    }

    /// <summary>The next that is ready; none either if it is too small, and then it is let go of.</summary>
    private Memtable? TakeReady(long room)
    {
        var ready = Dequeue();
        if (ready is null || room <= ready.Segment.Length - ready.Segment.End) return ready;
        ready.Abandon(pool.Recycle);
        return null;
    }

    private Memtable? Dequeue()
    {
        lock (_lock)
        {
            _ready.TryDequeue(out var ready);
            Volatile.Write(ref _readyCount, _ready.Count);
            return ready;
        }
    }

    private Memtable Make(long room)
    {
        var segment = pool.Take(room);
        try
        {
            return new Memtable(segment, stock);
        }
        catch
        {
            pool.Recycle(segment);
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
        while (Dequeue() is { } memtable) memtable.Abandon(takeSegment);
    }
}
