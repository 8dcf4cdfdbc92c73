using Varve.Wal;

namespace Varve.Versions;

/// <summary>
/// Keeps the next memtable ready: its segment, and an index whose memory is present, so that a rotation costs an applier
/// nothing but the switch. Any thread.
/// </summary>
internal sealed class MemtableFactory(SegmentPool pool, Action<WalSegment> recycle) : IDisposable
{
    private readonly Lock _lock = new();
    private Memtable? _ready;
    private long _usualKeys;
    private bool _disposed;

    /// <summary>True when the next <see cref="Take"/> of a usual size will not wait.</summary>
    public bool IsReady => Volatile.Read(ref _ready) is not null;

    /// <summary>Makes the next memtable now, if there is none.</summary>
    public void Prepare()
    {
        if (IsReady) return;
        lock (_lock)
        {
            if (_disposed || _ready is not null) return;
            var memtable = new Memtable(pool.Take(0), recycle);
            memtable.Index.Populate(_usualKeys);
            Volatile.Write(ref _ready, memtable);
        }
    }

    /// <summary>An empty memtable with room for a record; the caller's one reference. <paramref name="usualKeys"/> is how many keys the last one held.</summary>
    public Memtable Take(long room, long usualKeys)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _usualKeys = usualKeys;
            var ready = _ready;
            Volatile.Write(ref _ready, null);
            if (ready is null) return new Memtable(pool.Take(room), recycle);
            if (room <= ready.Segment.Length - ready.Segment.End) return ready;

            // A larger one is needed; the number of the ready one would be out of order after it.
            ready.Abandon(pool.Recycle);
            return new Memtable(pool.Take(room), recycle);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _ready?.Abandon(static segment => segment.Dispose());
            _ready = null;
        }
    }
}
