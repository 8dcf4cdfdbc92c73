using Microsoft.Extensions.Logging;

namespace Varve;

/// <summary>What an acknowledged chunk survives.</summary>
public enum Durability
{
    /// <summary>
    /// The death of the process at any instant. Power loss leaves the state of an earlier applied index.
    /// </summary>
    Process,

    /// <summary>Power loss too: a chunk is acknowledged after its sync.</summary>
    Power,

    /// <summary>As <see cref="Process"/>, and synced every <see cref="EngineOptions.SyncInterval"/>.</summary>
    Interval,
}

/// <summary>Which clock leases expire by.</summary>
public enum LeaseClock
{
    /// <summary>The engine's <see cref="EngineOptions.TimeProvider"/>, at apply and at read.</summary>
    Local = 0,

    /// <summary>The largest timestamp of the entries applied so far: state is a pure function of the log.</summary>
    Log = 1,
}

/// <summary>What a hole in the log's indexes is.</summary>
public enum LogGapPolicy
{
    /// <summary>A <see cref="LogGapException"/>.</summary>
    Reject,

    /// <summary>Accepted.</summary>
    Allow,
}

/// <summary>
/// What becomes of a chunk that holds a command out of its limits (<see cref="Command.TryValidate"/>).
/// </summary>
public enum InvalidCommands
{
    /// <summary>The chunk is rejected: an <see cref="ArgumentException"/>, each time that it is applied.</summary>
    Throw,

    /// <summary>
    /// That entry alone is refused, and counts as applied: its outcome is <see cref="ApplyStatus.Refused"/>, it is
    /// logged, and a duplicate gets it too. A pure function of the entry, so that replicas agree. Bytes that are no
    /// chunk are rejected all the same.
    /// </summary>
    Refuse,
}

/// <summary>How the data blocks of tables are reached.</summary>
public enum TableAccess
{
    /// <summary>
    /// Through the mapping alone. The fastest while tables fit in memory; what does not is brought in by page faults,
    /// for which a garbage collection has to wait, and every thread with it.
    /// </summary>
    Mapped,

    /// <summary>
    /// Through the mapping, once a system call has said that the block is in the page cache, or another has read it: no
    /// thread waits for a device where a garbage collection would have to wait for it, unless the system drops a page
    /// in between. For data larger than memory. A read costs a system call for every block of a run, and each table
    /// keeps its file open.
    /// <para>
    /// A bad sector is an <see cref="IOException"/> then, and not the end of the process. Where the system cannot be
    /// asked (Windows) every block is read each time. Whoever reads a database of another user's that he may not write
    /// is told by Linux that everything is in memory, and gets <see cref="Mapped"/>.
    /// </para>
    /// </summary>
    Probed,
}

/// <summary>
/// How an engine is opened. Checked by <see cref="LsmStateMachine.Open(string, EngineOptions?)"/>, whose error names
/// the option.
/// </summary>
public sealed record EngineOptions
{
    /// <summary>What an acknowledged chunk survives.</summary>
    public Durability Durability { get; init; } = Durability.Process;

    /// <summary>
    /// For <see cref="Durability.Interval"/>: the longest time an applied chunk stays unsynced. 1 ms to 1 hour.
    /// </summary>
    public TimeSpan SyncInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Size of a WAL segment, which is the memtable's storage, in bytes. 64 KiB to 16 GiB. After a rest
    /// (<see cref="IdleAfter"/>) the first ones are smaller, a sixteenth and a quarter of it.
    /// </summary>
    public long MemtableBytes { get; init; } = 64 << 20;

    /// <summary>
    /// Which clock leases expire by. It is a property of the database, stored when that is made and kept by resets and
    /// installs: opening with the other one is an <see cref="ArgumentException"/>, installing a snapshot of the other
    /// one a <see cref="SnapshotRejectedException"/>.
    /// </summary>
    public LeaseClock LeaseClock { get; init; } = LeaseClock.Local;

    /// <summary>
    /// For how long <see cref="LsmStateMachine.LeaseBackgroundCleanupAsync"/> can still report a lease after its
    /// deadline, in the time of the <see cref="LeaseClock"/>: a clean-up at time t reports deadlines after t minus
    /// this, and compactions drop older ones whether they were reported or not. This bounds what expired leases occupy
    /// if nobody calls the clean-up. The default is one day; zero to 36,500 days, or
    /// <see cref="Timeout.InfiniteTimeSpan"/>: expired leases are kept until they are reported. With zero the clean-up
    /// reports nothing, and compactions drop a lease once it has expired. Under <see cref="LeaseClock.Log"/> all
    /// replicas need the same value to report the same keys.
    /// </summary>
    public TimeSpan ExpiredLeaseRetention { get; init; } = TimeSpan.FromDays(1);

    /// <summary>What a hole in the log's indexes is.</summary>
    public LogGapPolicy LogGaps { get; init; } = LogGapPolicy.Reject;

    /// <summary>
    /// What becomes of a chunk that holds a command out of its limits. Keep it the same on all replicas of a group.
    /// Read at open.
    /// </summary>
    public InvalidCommands InvalidCommands { get; set; } = InvalidCommands.Throw;

    /// <summary>
    /// Opens a reader: without the writer's lock, beside a writer or none, and without writing anything. It shows
    /// exactly the state that it opened, until <see cref="LsmStateMachine.TryCatchUp"/>; whatever would change state
    /// throws <see cref="InvalidOperationException"/>.
    /// </summary>
    public bool ReadOnly { get; init; }

    /// <summary>The clock for <see cref="LeaseClock.Local"/> and for intervals.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where the engine logs; null: nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>
    /// For how many entries behind the last applied one a snapshot can still be cut. 0 to 16,777,216. What such a cut
    /// would read stays on the disk until that many entries later, tables that were merged away too, also when
    /// everything has been compacted or the engine is idle: then a database may take twice its live data.
    /// </summary>
    public int HistoryEntries { get; init; } = 65_536;

    /// <summary>
    /// The most that this history may keep of segments already flushed, in bytes of disk; large values end it earlier.
    /// 0 to 1 TiB.
    /// </summary>
    public long HistoryBytes { get; init; } = 4L << 30;

    /// <summary>
    /// Where a data block is closed, in bytes; a larger single entry makes a larger block. 512 to 1 MiB.
    /// </summary>
    public int BlockBytes { get; init; } = 8 << 10;

    /// <summary>
    /// Where a table of the bottom run is closed, in bytes; later in a run that would have thousands. 64 KiB to 64 GiB.
    /// </summary>
    public long TableBytes { get; init; } = 64 << 20;

    /// <summary>
    /// The most that may be kept of tables that were merged away, in bytes of disk, so that later ones are written over
    /// them: that saves most of the cost of writing where memory has to be supplied first. Let go of when there is
    /// nothing to write. 0 (none) to 1 TiB.
    /// </summary>
    public long SpareTableBytes { get; init; } = 1L << 30;

    /// <summary>
    /// When nothing has been applied for this long, at most for twice as long, by the <see cref="TimeProvider"/>, runs
    /// are merged down to one if that may give back a tenth of their space, and files and memory that are kept for
    /// speed alone are let go of: what is left is tables, the log's active segment and the next, small ones where the
    /// active one was empty, and what the history needs (<see cref="HistoryEntries"/>). A compaction that was asked for
    /// lets go of as much. 1 ms to 1 day, or <see cref="Timeout.InfiniteTimeSpan"/>: nothing is let go of, after a
    /// compaction neither.
    /// </summary>
    public TimeSpan IdleAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many upper runs of about one size gather before they are merged. 2 to 32.</summary>
    public int UpperRunsMax { get; init; } = 6;

    /// <summary>
    /// The bottom run is merged with the upper ones when they reach this share of its size. 0.05 to 1.
    /// </summary>
    public double BottomMergeRatio { get; init; } = 1.0;

    /// <summary>
    /// How many full memtables may wait for their flush before appliers wait (a counted stall), if
    /// <see cref="MemoryBudgetBytes"/> has room. 1 to 64.
    /// </summary>
    public int SealedMemtablesMax { get; init; } = 6;

    /// <summary>
    /// What memtables may take, in bytes of memory: their segments, whether they are filled, wait for their flush, are
    /// made ahead or are held by the history, a view or a snapshot, and their indexes, those kept to be used again too;
    /// and what a chunk takes to be applied. The nearer to it, the fewer may wait before appliers do (up to
    /// <see cref="SealedMemtablesMax"/>) and the fewer are made ahead. Four memtables are used whatever it is; what was
    /// recovered or is held by others may exceed it until it is let go of. The page cache of tables, and of files kept
    /// to be written over, is not counted. 64 KiB to 1 PiB; a quarter of
    /// <see cref="GCMemoryInfo.TotalAvailableMemoryBytes"/> if not set.
    /// </summary>
    public long MemoryBudgetBytes { get; init; } = Math.Max(
        64 << 10, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    /// <summary>Bits of filter a key. 0 (none) to 32.</summary>
    public int FilterBitsPerKey { get; init; } = 10;

    /// <summary>
    /// How the data blocks of tables are reached; <see cref="Varve.TableAccess.Probed"/> for data larger than memory.
    /// </summary>
    public TableAccess TableAccess { get; init; } = TableAccess.Mapped;

    /// <summary>Verify every block on every read, not once a mapping.</summary>
    public bool ParanoidChecks { get; init; }

    /// <summary>Outcomes of at least this many of the latest entries are kept, across restarts too.</summary>
    internal const int OutcomesKept = 65_536;

    /// <summary>
    /// The most tables in a run. Each is a mapping, of which Linux gives a process 65,530 (<c>vm.max_map_count</c>):
    /// merges make larger tables rather than more than half as many, and a run that would exceed it is not moved.
    /// </summary>
    internal int TablesInRunMax { get; init; } = 2048;

    /// <summary>The seam for a test: the hash seed of a database that is made; null: random.</summary>
    internal ulong? HashSeed { get; init; }

    /// <summary>
    /// For tools: takes the lease clock that the database was made with, whatever <see cref="LeaseClock"/> says; that
    /// is for a new one.
    /// </summary>
    internal bool TakesStoredLeaseClock { get; init; }
}
