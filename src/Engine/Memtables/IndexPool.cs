using Varve.Epochs;

namespace Varve.Memtables;

/// <summary>
/// The memory of the indexes of an engine's memtables: counts what is in use, and keeps some of what is given back for
/// the next memtables. Any thread.
/// </summary>
internal sealed class IndexPool : IDisposable
{
    private const int KeptMax = 2;
    private readonly RankedLock _lock = new(LockOrder.IndexMemory);
    private readonly Stack<IndexMemory> _kept = new(); // all for segments of one length
    private readonly HashSet<IndexMemory> _used = [];
    private bool _keeps = true;
    private bool _disposed;

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

    /// <summary>Gives index memory for a segment, as new.</summary>
    public IndexMemory Rent(long segmentBytes)
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

    /// <summary>Frees all memory kept, and keeps none until memory is rented again.</summary>
    public void ReleaseIdle()
    {
        using (_lock.Enter())
        {
            _keeps = false;
            while (_kept.TryPop(out var memory)) memory.Dispose();
        }
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
