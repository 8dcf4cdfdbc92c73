using Varve.Epochs;
using Varve.Wal;

namespace Varve.Memtables;

/// <summary>
/// The memory and the files of memtables: segments, index memory, those that are made ahead, and what they may take
/// together.
/// </summary>
internal sealed class MemtableSupply : IDisposable
{
    /// <param name="options">What memtables may take.</param>
    /// <param name="segments">Makes and recycles segments.</param>
    /// <param name="stock">Has the memory of indexes.</param>
    /// <param name="lastLength">Length of the segment that is in use already.</param>
    public MemtableSupply(EngineOptions options, SegmentPool segments, MemtableStock stock, long lastLength)
    {
        Segments = segments;
        Stock = stock;
        Budget = new MemoryBudget(options);
        Ready = new MemtableFactory(segments, stock, Budget, lastLength);
    }

    /// <summary>Makes and recycles segments.</summary>
    public SegmentPool Segments { get; }

    /// <summary>Has the memory of indexes.</summary>
    public MemtableStock Stock { get; }

    /// <summary>How many memtables there may be.</summary>
    public MemoryBudget Budget { get; }

    /// <summary>Keeps the next memtables ready.</summary>
    public MemtableFactory Ready { get; }

    /// <summary>
    /// Has the budget take in what memtables take by now, and what the chunk in hand does; under the gate. What a
    /// segment made for one large record takes is counted, but not expected again.
    /// </summary>
    public void ReviewGateHeld(Memtable[] current, long chunkBytes)
    {
        LockOrder.Gate.AssertHeld();
        var counted = Ready.BytesReady;
        var each = Segments.Length;
        foreach (var memtable in current)
        {
            counted += memtable.Bytes;
            each = Math.Max(each, Segments.Length + memtable.Index.Memory.BytesPresent);
        }

        Budget.Review(each, Math.Max(0, Stock.BytesInUse - counted) + chunkBytes);
    }

    /// <summary>Gives back what is kept for speed alone, but for the memtables that are ready.</summary>
    public void ReleaseIdle()
    {
        Stock.LetGo();
        Segments.ReleaseIdle();
    }

    public void Dispose()
    {
        Ready.Dispose();
        Stock.Dispose();
        Segments.Dispose();
    }
}
