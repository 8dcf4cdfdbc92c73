namespace Varve.Epochs;

/// <summary>
/// Every lock of the engine, with the state that it guards and its rank. A thread that holds a lock takes only locks of
/// a higher rank; it may enter a lock that it holds already. Locks of one rank are never held together.
/// <para>
/// A value is 16 times the rank, plus a number that tells the locks of a rank apart. <see cref="RankedLock"/> and
/// <see cref="RankedMonitor"/> are made with a value, and a debug build asserts the order at each entry.
/// </para>
/// <para>
/// A method that needs a lock says so by its suffix (<c>GateHeld</c>, <c>SyncHeld</c>, <c>CountHeld</c>,
/// <c>ManifestHeld</c>) and asserts it in its first line (<see cref="HeldLocks.AssertHeld"/>).
/// </para>
/// </summary>
internal enum LockOrder
{
    /// <summary>Start, stop and close. Held across a whole close, its syncs and manifest writes included.</summary>
    Lifecycle = 0x10,

    /// <summary>The number of long tasks. A close waits in it for their end.</summary>
    LongTasks = 0x20,

    /// <summary>A reader's catch-up. Held across reads of files.</summary>
    CatchUp = 0x21,

    /// <summary>A lease clean-up. Held across the search for expired keys.</summary>
    LeaseCleanUp = 0x22,

    /// <summary>The manifest; a writer's runs and generation. Held across a manifest write and its sync.</summary>
    Manifest = 0x30,

    /// <summary>One sync of the log at a time, and the segments that it covers. Held across the sync.</summary>
    Sync = 0x31,

    /// <summary>The way into the gate. Held across the wait for the gate.</summary>
    Turnstile = 0x40,

    /// <summary>
    /// The end of the log, the active memtable, the switch of versions, the generation, a writer's publication. Held
    /// across a manifest's sync by an install or a reset alone; across the making of a segment by them and by a
    /// rotation that finds no memtable ready; across a count by a merge of the bottom runs.
    /// </summary>
    Gate = 0x50,

    /// <summary>The making of memtables, in the order of their numbers. Held while a segment is created.</summary>
    MemtableMaking = 0x60,

    /// <summary>The count of live keys. Held across the fold of what was applied since the last count.</summary>
    Count = 0x61,

    /// <summary>The past versions.</summary>
    History = 0x62,

    /// <summary>Segments to reuse. Held across creating, renaming, syncing and deleting segments.</summary>
    SegmentPool = 0x70,

    /// <summary>Ready memtables.</summary>
    ReadyMemtables = 0x71,

    /// <summary>Index memory to reuse. Held across unmapping it.</summary>
    IndexMemory = 0x72,

    /// <summary>Resources that were retired.</summary>
    Retired = 0x73,

    /// <summary>Rounds of the background, and the last shortage. Callers wait in it for a flush.</summary>
    FlushProgress = 0x74,

    /// <summary>View contexts by thread.</summary>
    ViewContexts = 0x75,

    /// <summary>All readers of changes.</summary>
    ChangeReaders = 0x77,

    /// <summary>The readers that changes are dispatched to, and the place up to which they are.</summary>
    ChangeFeed = 0x76,

    /// <summary>The list of holds.</summary>
    Holds = 0x80,

    /// <summary>The mappings of a file. Held across their flush.</summary>
    FileMappings = 0x81,

    /// <summary>One mapping. Held across its flush.</summary>
    Mapping = 0x90,

    /// <summary>The clean-ups logged in one segment.</summary>
    CleanUps = 0xA0,

    /// <summary>Requested compactions.</summary>
    CompactionRequests = 0xA1,

    /// <summary>Tasks that wait for a sync.</summary>
    SyncWaiters = 0xA2,

    /// <summary>Table files to write over.</summary>
    RecycledFiles = 0xA3,

    /// <summary>The rate of flushes.</summary>
    FlushRate = 0xA4,

    /// <summary>The state of the idle detector.</summary>
    Idleness = 0xA5,

    /// <summary>Events for the user's logger.</summary>
    EventLog = 0xA6,

    /// <summary>Growth of the table of epoch slots.</summary>
    EpochSlots = 0xA7,

    /// <summary>Chunks that wait for their apply.</summary>
    PendingApplies = 0xAA,

    /// <summary>Numbers of dead threads. One lock for all engines of the process.</summary>
    ThreadOrdinals = 0xA8,

    /// <summary>Ended work that waits for the user's listeners.</summary>
    Telemetry = 0xA9,

    /// <summary>Changes that were dispatched to one reader.</summary>
    ChangeQueue = 0xAA,
}
