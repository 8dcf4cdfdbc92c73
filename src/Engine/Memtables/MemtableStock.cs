using Varve.Epochs;
using Varve.Wal;

namespace Varve.Memtables;

/// <summary>
/// Free list of index memory from retired memtables. Passes their segments on. Any thread.
/// </summary>
internal sealed class MemtableStock : IDisposable
{
    private const int KeptMax = 2;
    private readonly RankedLock _lock = new(LockOrder.IndexMemory);
    private readonly Stack<IndexMemory> _kept = new();
    private readonly HashSet<IndexMemory> _used = [];
    private bool _keeps = true;
    private bool _disposed;

    /// <summary>
    /// Recycles segments whose records are in tables. Null until the engine is built: segments are closed instead.
    /// </summary>
    public Action<WalSegment>? Segments { get; set; }

    /// <summary>
    /// Bytes of all memtables that are not freed yet, segments included, and of the index memory kept.
    /// </summary>
    public long BytesInUse
    {
        get
        {
            var sum = 0L;
            using (_lock.Enter())
            {
                foreach (var memory in _used) sum += memory.SegmentBytes + memory.BytesPresent;
                foreach (var memory in _kept) sum += memory.BytesPresent;
            }

            return sum;
        }
    }

    /// <summary>Index memory for a segment, as new.</summary>
    public IndexMemory Take(long segmentBytes)
    {
        IndexMemory? kept;
        using (_lock.Enter())
        {
            _keeps = true;
            if (_kept.TryPeek(out kept) && kept.SegmentBytes == segmentBytes) _kept.Pop();
            else kept = null;
        }

        kept?.Recycle();
        var memory = kept ?? new IndexMemory(segmentBytes);
        using (_lock.Enter()) _used.Add(memory);
        return memory;
    }

    /// <summary>Keeps index memory that no pin can see, or frees it.</summary>
    public void Recycle(IndexMemory memory)
    {
        using (_lock.Enter())
        {
            _used.Remove(memory);
            if (_keeps && !_disposed && _kept.Count < KeptMax
                && (!_kept.TryPeek(out var other) || other.SegmentBytes == memory.SegmentBytes))
            {
                _kept.Push(memory);
                return;
            }
        }

        memory.Dispose();
    }

    /// <summary>Frees all memory kept, and keeps none until memory is taken again.</summary>
    public void ReleaseIdle()
    {
        using (_lock.Enter())
        {
            _keeps = false;
            while (_kept.TryPop(out var memory)) memory.Dispose();
        }
    }

    /// <summary>Recycles a segment whose records are in synced tables (I5).</summary>
    public void Recycle(WalSegment segment)
    {
        if (Segments is { } target) target(segment);
        else segment.Dispose();
    }

    public void Dispose()
    {
        using (_lock.Enter())
        {
            _disposed = true;
            ReleaseIdle();
        }
    }
}
