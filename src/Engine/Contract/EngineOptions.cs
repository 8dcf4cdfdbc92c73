using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Varve.Contract;

namespace Varve;

/// <summary>
/// The options of an engine. <see cref="LsmStateMachine.Open(string, EngineOptions?)"/> copies the options and then
/// checks them: a later change of the object has no effect on the engine. Instance members are not thread-safe.
/// </summary>
public sealed record EngineOptions
{
    /// <summary>Outcomes of at least this many of the latest entries are kept, across restarts too.</summary>
    internal const int OutcomesKept = 65_536;

    /// <summary>The failures that an acknowledged chunk survives.</summary>
    public Durability Durability { get; set; } = Durability.Process;

    /// <summary>
    /// Longest time between two syncs of the log under <see cref="Durability.Interval"/>. 1 ms to 1 hour. Not used, and
    /// not checked, otherwise.
    /// </summary>
    public TimeSpan SyncInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Size of a WAL segment, which is the memtable's storage, in bytes. 64 KiB to 16 GiB. After an idle period
    /// (<see cref="IdleAfter"/>) the first segments have a sixteenth and a quarter of this size.
    /// </summary>
    public long MemtableBytes { get; set; } = 64 << 20;

    /// <summary>
    /// The clock that decides when a lease expires. A property of the database: stored at its creation, kept by resets
    /// and installs. An open with the other clock throws <see cref="ArgumentException"/>, an install of a snapshot with
    /// the other clock throws <see cref="SnapshotRejectedException"/>.
    /// </summary>
    public LeaseClock LeaseClock { get; set; } = LeaseClock.Local;

    /// <summary>
    /// Time after its deadline during which <see cref="LsmStateMachine.LeaseBackgroundCleanupAsync"/> can still report
    /// a lease, by the <see cref="LeaseClock"/>. Zero to 36,500 days, or <see cref="Timeout.InfiniteTimeSpan"/>; one
    /// day if not set.
    /// <para>
    /// A clean-up at time t reports leases with deadlines after t minus this value. Compactions drop older leases,
    /// reported or not, which bounds their space if no clean-up is ever called. With zero a clean-up reports nothing.
    /// With <see cref="Timeout.InfiniteTimeSpan"/> expired leases stay until a clean-up has reported them. Under
    /// <see cref="LeaseClock.Log"/>, give all replicas the same value: they then report the same keys.
    /// </para>
    /// </summary>
    public TimeSpan ExpiredLeaseRetention { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Policy for gaps in the log's indexes.</summary>
    public LogGapPolicy LogGaps { get; set; } = LogGapPolicy.Reject;

    /// <summary>
    /// Policy for chunks that hold a command out of its limits. Give all replicas of a group the same value.
    /// </summary>
    public InvalidCommands InvalidCommands { get; set; } = InvalidCommands.Throw;

    /// <summary>
    /// Opens a reader: without the writer's lock, beside a writer or none. A reader writes nothing. It shows the state
    /// at its open until <see cref="LsmStateMachine.TryCatchUp"/>. Every call that would change state throws
    /// <see cref="InvalidOperationException"/>.
    /// </summary>
    public bool ReadOnly { get; set; }

    /// <summary>
    /// The clock for <see cref="LeaseClock.Local"/> and for intervals. The engine calls it on the caller's threads and
    /// outside its locks.
    /// </summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>
    /// Name of the database in metrics, spans and statistics; the directory's name if not set. Not stored. 1 to 255
    /// characters. Give the databases of a process different names.
    /// </summary>
    public string? Name { get; set; }

    /// <summary>
    /// Creates the logger of the engine; null disables logging. The engine calls the logger outside its locks.
    /// </summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>
    /// Duration of a sync of the log from which on the engine logs a warning. 1 ms to 1 hour, or
    /// <see cref="Timeout.InfiniteTimeSpan"/> for none.
    /// </summary>
    public TimeSpan SlowSyncAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Free space of the database's volume below which the engine logs a warning, in bytes. 0 (no warning) to 1 PiB. A
    /// health check has the same bound unless it is given another.
    /// </summary>
    public long LowDiskBytes { get; set; } = 1L << 30;

    /// <summary>
    /// Number of entries behind the last applied one at which a snapshot can still be cut, and changes can still be
    /// read (<see cref="LsmStateMachine.ReadChangesAsync"/>). 0 to 16,777,216. The files that such a cut would read,
    /// also tables that were merged away, stay on the disk until that many entries have followed. If none follow, a
    /// database may take twice the space of its live data.
    /// </summary>
    public int HistoryEntries { get; set; } = 65_536;

    /// <summary>
    /// Limit on segments that are flushed and kept for the history alone, in bytes of disk. 0 to 1 TiB. Large values
    /// make the history shorter than <see cref="HistoryEntries"/>.
    /// </summary>
    public long HistoryBytes { get; set; } = 4L << 30;

    /// <summary>
    /// Target size of a data block, in bytes. 512 to 1 MiB. A larger single entry makes a larger block.
    /// </summary>
    public int BlockBytes { get; set; } = 8 << 10;

    /// <summary>
    /// Target size of a table of the bottom run, in bytes. 64 KiB to 64 GiB. A run that would have thousands of tables
    /// gets larger ones.
    /// </summary>
    public long TableBytes { get; set; } = 64 << 20;

    /// <summary>
    /// Limit on files of merged tables that are kept for reuse, in bytes of disk. 0 (none) to 1 TiB. A new table
    /// overwrites such a file, which avoids most of the cost of allocating its pages. Released when there is nothing to
    /// write.
    /// </summary>
    public long SpareTableBytes { get; set; } = 1L << 30;

    /// <summary>
    /// Idle time after which the engine compacts and releases what it keeps for speed alone, by the
    /// <see cref="TimeProvider"/>. 1 ms to 1 day, or <see cref="Timeout.InfiniteTimeSpan"/>. The engine acts between
    /// one and two such times after the last apply.
    /// <para>
    /// It merges all runs into one if that may free a tenth of their space, and releases files and memory. The tables,
    /// the active segment and the next one, and what the history needs (<see cref="HistoryEntries"/>) remain; an empty
    /// active segment becomes a small one. <see cref="LsmStateMachine.CompactAsync"/> releases the same.
    /// <see cref="Timeout.InfiniteTimeSpan"/> disables both.
    /// </para>
    /// </summary>
    public TimeSpan IdleAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Number of upper runs of about one size at which they are merged. 2 to 32.</summary>
    public int UpperRunsMax { get; set; } = 6;

    /// <summary>
    /// Size of the upper runs, as a share of the bottom run, at which they are merged into it. 0.05 to 1.
    /// </summary>
    public double BottomMergeRatio { get; set; } = 1.0;

    /// <summary>
    /// Number of full memtables that may wait for their flush before applies wait too (a counted stall). 1 to 64. A
    /// small
    /// <see cref="MemoryBudgetBytes"/> lowers the number.
    /// </summary>
    public int SealedMemtablesMax { get; set; } = 6;

    /// <summary>
    /// Soft limit on memtable memory (segments and indexes) and on the memory to apply chunks in, in bytes. 64 KiB to
    /// 1 PiB; a quarter of <see cref="GCMemoryInfo.TotalAvailableMemoryBytes"/> if not set.
    /// <para>
    /// Counted are memtables that are active, wait for their flush, are prepared ahead, or are held by the history, a
    /// view or a snapshot, and indexes that are kept for reuse. Close to the limit, fewer memtables wait before applies
    /// do, and fewer are prepared ahead. The engine uses four memtables whatever the limit is. Recovered memtables, and
    /// those held by others, may exceed it until they are released. The page cache is not counted.
    /// </para>
    /// </summary>
    public long MemoryBudgetBytes { get; set; } = Math.Max(
        64 << 10, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    /// <summary>Size of a table's filter, in bits a key. 0 (no filter) to 32.</summary>
    public int FilterBitsPerKey { get; set; } = 10;

    /// <summary>
    /// The way in which the engine reads the data blocks of tables; <see cref="Varve.TableAccess.Probed"/> for data
    /// larger than memory.
    /// </summary>
    public TableAccess TableAccess { get; set; } = TableAccess.Mapped;

    /// <summary>Verifies the checksum of a block at every read; otherwise once a mapping.</summary>
    public bool ParanoidChecks { get; set; }

    /// <summary>
    /// Limit on the tables of a run. Each table is a mapping, and Linux allows a process 65,530 of them
    /// (<c>vm.max_map_count</c>). A merge makes larger tables rather than more than half as many, and a run is not
    /// moved if the result would exceed the limit.
    /// </summary>
    internal int TablesInRunMax { get; init; } = 2048;

    /// <summary>The hash seed of a new database, for tests; null: random.</summary>
    internal ulong? HashSeed { get; init; }

    /// <summary>
    /// For tools: an existing database opens with the lease clock that it stores; <see cref="LeaseClock"/> is for a new
    /// one.
    /// </summary>
    internal bool TakesStoredLeaseClock { get; init; }

    /// <summary>
    /// Checks the options as <see cref="LsmStateMachine.Open(string, EngineOptions?)"/> does before it touches a file.
    /// An open with valid options may still throw <see cref="ArgumentException"/> if the database stores another
    /// <see cref="LeaseClock"/>.
    /// </summary>
    /// <param name="problem">The first problem, with the option's name and range; null if there is none.</param>
    /// <returns>True if all options are valid.</returns>
    public bool TryValidate([NotNullWhen(false)] out string? problem)
    {
        problem = OptionChecks.FindProblem(this)?.Text;
        return problem is null;
    }
}
