using Varve.Epochs;
using Varve.Wal;

namespace Varve.Memtables;

/// <summary>
/// Supplies memtables: their segments, their index memory, the ones made ahead, and the budget of all together.
/// <para>
/// The problem: a rotation happens on an applier's thread under the gate. A new segment costs a file's allocation and a
/// sync, and fresh index memory costs a page fault every hundred inserts. Neither may stall an applier, and all
/// memtables together have to stay within <see cref="EngineOptions.MemoryBudgetBytes"/>.
/// </para>
/// <list type="number">
/// <item>The next memtables are made ahead, by the thread that syncs (<see cref="Ready"/>). An applier makes one itself
/// only if none is ready.</item>
/// <item>Memtables are made one after the other, in the order of their numbers (I6).</item>
/// <item>Index memory and segments of freed memtables are recycled (<see cref="Stock"/>, <see cref="Segments"/>). A
/// segment is recycled only after a synced manifest record made it unnecessary (I5).</item>
/// <item>The last reference to a memtable is never released under the gate or the making lock: its segment waits for
/// the sync under way, and a sync takes the gate.</item>
/// <item>The budget is reviewed at each seal and flush (<see cref="Budget"/>). It takes nothing back: appliers wait
/// sooner, and fewer memtables are made ahead.</item>
/// </list>
/// <para>
/// The obvious design makes a memtable when it is needed. A burst then stops for the allocation of a file at each
/// rotation, and for page faults after it.
/// </para>
/// <para>Threads: any; <see cref="ReviewGateHeld"/> under the gate. Built before the log is replayed.</para>
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
    /// Reviews the budget by the bytes of all memtables and of the chunk in hand. A segment made for one large record
    /// counts, but its length is not expected again.
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

    /// <summary>Releases memory and files kept for speed alone, except ready memtables.</summary>
    public void ReleaseIdle()
    {
        Stock.ReleaseIdle();
        Segments.ReleaseIdle();
    }

    public void Dispose()
    {
        Ready.Dispose();
        Stock.Dispose();
        Segments.Dispose();
    }
}
