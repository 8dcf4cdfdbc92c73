using Varve.Epochs;
using Varve.Wal;

namespace Varve.Memtables;

/// <summary>
/// Supplies memtables: their segments, their index memory, the ones made ahead, and the budget of all together. Rooms
/// above ask it alone; its parts are <see cref="ReadyMemtables"/>, <see cref="IndexPool"/>, <see cref="SegmentPool"/>
/// and <see cref="MemoryBudget"/>.
/// <para>
/// The problem: a rotation happens on an applier's thread under the gate. A new segment costs a file's allocation and a
/// sync, and fresh index memory costs a page fault every hundred inserts. Neither may stall an applier, and all
/// memtables together have to stay within <see cref="EngineOptions.MemoryBudgetBytes"/>.
/// </para>
/// <list type="number">
/// <item>The next memtables are made ahead, by the thread that syncs (<see cref="Prepare"/>). An applier makes one
/// itself only if none is ready.</item>
/// <item>Memtables are made one after the other, in the order of their numbers (I6).</item>
/// <item>Index memory and segments of freed memtables are recycled. A segment is recycled only after a synced manifest
/// record made it unnecessary (I5), and after the sync that is under way.</item>
/// <item>So the last reference to a memtable is never released under the gate or the making lock: its segment waits for
/// the sync under way, and a sync takes the gate.</item>
/// <item>The budget is reviewed at each seal and flush. It takes nothing back: appliers wait sooner, and fewer
/// memtables are made ahead.</item>
/// </list>
/// <para>
/// The obvious design makes a memtable when it is needed. A burst then stops for the allocation of a file at each
/// rotation, and for page faults after it.
/// </para>
/// <para>
/// Threads: any; <see cref="ReviewGateHeld"/> under the gate. Built before the log is replayed, since replay makes
/// memtables; <see cref="Start"/> once the active one is known.
/// </para>
/// </summary>
internal sealed class MemtableSupply : IDisposable
{
    private readonly ReadyMemtables _ready;

    /// <param name="options">What memtables may take.</param>
    /// <param name="segments">Makes and recycles segments; ended with the supply.</param>
    public MemtableSupply(EngineOptions options, SegmentPool segments)
    {
        Segments = segments;
        Budget = new MemoryBudget(options);
        _ready = new ReadyMemtables(segments, Indexes, Budget);
    }

    /// <summary>Makes and recycles segments.</summary>
    public SegmentPool Segments { get; }

    /// <summary>Has the memory of indexes.</summary>
    public IndexPool Indexes { get; } = new();

    /// <summary>The number of memtables that there may be.</summary>
    public MemoryBudget Budget { get; }

    /// <summary>True when <see cref="Next"/> will not wait for a memtable of a usual size.</summary>
    public bool IsReady => _ready.IsReady;

    /// <inheritdoc cref="ReadyMemtables.HasRoom"/>
    public bool HasRoom(long room) => _ready.HasRoom(room);

    /// <summary>True while none is made ahead: what is applied may never fill the active one.</summary>
    public bool AwaitsLoad => _ready.AwaitsLoad;

    /// <summary>
    /// Bytes of all memtables that are not freed yet, ready ones included, and of the index memory kept.
    /// </summary>
    public long BytesInUse => Indexes.BytesInUse;

    /// <summary>Begins with the memtable that is active when the engine starts.</summary>
    /// <param name="activeLength">The length of its segment.</param>
    public void Start(long activeLength) => _ready.Start(activeLength);

    /// <summary>A memtable over a segment that exists already; the caller's one reference.</summary>
    public Memtable Over(WalSegment segment) => new(segment, Indexes, Segments);

    /// <inheritdoc cref="ReadyMemtables.Next"/>
    public Memtable Next(long room, Memtable? filled) => _ready.Next(room, filled);

    /// <inheritdoc cref="ReadyMemtables.Expect"/>
    public void Expect(Memtable active) => _ready.Expect(active);

    /// <inheritdoc cref="ReadyMemtables.Prepare"/>
    public void Prepare() => _ready.Prepare();

    /// <inheritdoc cref="ReadyMemtables.PrepareOne"/>
    public void PrepareOne() => _ready.PrepareOne();

    /// <inheritdoc cref="ReadyMemtables.ReleaseIdle"/>
    public void ReleaseReady() => _ready.ReleaseIdle();

    /// <summary>Releases memory and files kept for speed alone, except ready memtables.</summary>
    public void ReleaseIdle()
    {
        Indexes.ReleaseIdle();
        Segments.ReleaseIdle();
    }

    /// <summary>Bytes of disk of the segments that are made ahead or kept for reuse.</summary>
    public long SpareSegmentBytes => _ready.SegmentBytesReady + Segments.BytesKept;

    /// <summary>
    /// Reviews the budget by the bytes of all memtables and of the chunk in hand. A segment made for one large record
    /// counts, but its length is not expected again.
    /// </summary>
    public void ReviewGateHeld(Memtable[] current, long chunkBytes)
    {
        LockOrder.Gate.AssertHeld();
        var counted = _ready.BytesReady;
        var each = Segments.Length;
        foreach (var memtable in current)
        {
            counted += memtable.Bytes;
            each = Math.Max(each, Segments.Length + memtable.Index.Memory.BytesPresent);
        }

        Budget.Review(each, Math.Max(0, BytesInUse - counted) + chunkBytes);
    }

    public void Dispose()
    {
        _ready.Dispose();
        Indexes.Dispose();
        Segments.Dispose();
    }
}
