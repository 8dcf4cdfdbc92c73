using Varve.Contract;

namespace Varve;

/// <summary>
/// The engine's counters at one call. Read field by field: fields agree with each other only if nothing runs.
/// Immutable.
/// </summary>
public sealed record EngineStatistics
{
    /// <summary>The database's name: <see cref="EngineOptions.Name"/>.</summary>
    public string Name { get; init; } = "";

    /// <summary>The last applied entry.</summary>
    public LogId LastApplied { get; init; }

    /// <summary>The last entry that survives power loss, with everything before it.</summary>
    public LogId DurableLogId { get; init; }

    /// <summary>Entries applied by this instance.</summary>
    public long EntriesApplied { get; init; }

    /// <summary>Chunks applied by this instance.</summary>
    public long ChunksApplied { get; init; }

    /// <summary>Applied entries that a power loss would take.</summary>
    public ulong DurableLag => LastApplied.Index > DurableLogId.Index ? LastApplied.Index - DurableLogId.Index : 0;

    /// <summary>Commands applied by this instance, by kind.</summary>
    public OperationCounts Operations { get; init; }

    /// <summary>Bytes appended to the WAL by this instance.</summary>
    public long WalBytes { get; init; }

    /// <summary>Bytes written by flushes of this instance.</summary>
    public long FlushBytes { get; init; }

    /// <summary>Bytes written by compactions of this instance.</summary>
    public long CompactionBytes { get; init; }

    /// <summary>Bytes written to manifests by this instance, from its open on.</summary>
    public long ManifestBytes { get; init; }

    /// <summary>
    /// Bytes written by this instance for snapshots made and installed. Hard-linked tables, and snapshots that failed
    /// or were cancelled, are not counted.
    /// </summary>
    public long SnapshotBytes { get; init; }

    /// <summary>
    /// Bytes written to the log, tables and manifests for each byte logged by this instance, without snapshots; 0
    /// before the first.
    /// </summary>
    public double WriteAmplification =>
        WalBytes == 0 ? 0 : (WalBytes + FlushBytes + CompactionBytes + ManifestBytes) / (double)WalBytes;

    /// <summary>Completed flushes.</summary>
    public long Flushes { get; init; }

    /// <summary>Completed compactions, without trivial moves.</summary>
    public long Compactions { get; init; }

    /// <summary>Completed syncs of the WAL.</summary>
    public long Syncs { get; init; }

    /// <summary>Total time of completed flushes.</summary>
    public TimeSpan FlushTime { get; init; }

    /// <summary>Total time of completed compactions. Flushes and compactions within one count in both.</summary>
    public TimeSpan CompactionTime { get; init; }

    /// <summary>Total time of completed syncs of the WAL.</summary>
    public TimeSpan SyncTime { get; init; }

    /// <summary>Snapshots made by this instance.</summary>
    public long Snapshots { get; init; }

    /// <summary>Total time of making them.</summary>
    public TimeSpan SnapshotTime { get; init; }

    /// <summary>Snapshots installed by this instance.</summary>
    public long Installs { get; init; }

    /// <summary>Total time of installing them.</summary>
    public TimeSpan InstallTime { get; init; }

    /// <summary>Time that the open of this instance took to recover the database.</summary>
    public TimeSpan RecoveryTime { get; init; }

    /// <summary>Times that an apply waited for the flush of a memtable.</summary>
    public long FlushStalls { get; init; }

    /// <summary>
    /// Times that an apply paused for about a millisecond, so that flushes keep up and no apply waits for one.
    /// </summary>
    public long Pauses { get; init; }

    /// <summary>Times that an apply waited for the next segment.</summary>
    public long SegmentStalls { get; init; }

    /// <summary>Total time that applies waited or paused.</summary>
    public TimeSpan StallTime { get; init; }

    /// <summary>Number of memtables, with the active one.</summary>
    public int Memtables { get; init; }

    /// <summary>Used bytes of the memtables' segments.</summary>
    public long MemtableBytes { get; init; }

    /// <summary>Bytes of the memtables' indexes.</summary>
    public long MemtableIndexBytes { get; init; }

    /// <summary>
    /// Memory that the engine keeps between chunks to apply them in, in bytes: as much as the largest recent chunk
    /// needed, up to about 10 MiB. Counts against <see cref="MemoryBudgetBytes"/>.
    /// </summary>
    public long ChunkBytes { get; init; }

    /// <summary>
    /// Memory of memtables, in bytes. Counts against <see cref="MemoryBudgetBytes"/>, as <see cref="ChunkBytes"/> does.
    /// </summary>
    public long MemoryBytes { get; init; }

    /// <summary>The budget, in bytes: <see cref="EngineOptions.MemoryBudgetBytes"/>.</summary>
    public long MemoryBudgetBytes { get; init; }

    /// <summary>Sorted runs of tables, newest first.</summary>
    public IReadOnlyList<RunStatistics> Runs { get; init; } = [];

    /// <summary>Disk space of the database, by kind.</summary>
    public DiskUsage Disk { get; init; }

    /// <summary>Free space of the database's volume, in bytes; null if the system does not tell.</summary>
    public long? FreeDiskBytes { get; init; }

    /// <summary>
    /// Leases that have not expired, about: a lease that a later write replaced counts until a flush or a compaction
    /// drops it. The leases of a memtable count until they are flushed, expired or not.
    /// </summary>
    public long Leases { get; init; }

    /// <summary>Open views, also those that an ended thread left open.</summary>
    public int OpenViews { get; init; }

    /// <summary>
    /// Time since the oldest open view was opened, by the timestamps of <see cref="EngineOptions.TimeProvider"/>; zero
    /// if no view is open.
    /// </summary>
    public TimeSpan OldestViewAge { get; init; }

    /// <summary>
    /// Bytes that the end of the oldest open view releases, if no other view or snapshot holds them: the memtables (in
    /// memory) and tables (on disk) that it reads and the present state no longer has. Zero until a compaction, a flush
    /// or an install replaces what the view reads.
    /// </summary>
    public long OldestViewBytes { get; init; }

    /// <summary>Enumerations of <see cref="LsmStateMachine.ReadChangesAsync"/> that have begun and not ended.</summary>
    public int ChangeReaders { get; init; }

    /// <summary>
    /// The number of entries by which the slowest of <see cref="ChangeReaders"/> is behind the last applied entry.
    /// </summary>
    public ulong ChangeLag { get; init; }

    /// <summary>
    /// Bytes of the WAL that the open of this instance dropped as a torn tail; 0 after a clean close. A read-only
    /// instance counts a record that a writer is writing, too.
    /// </summary>
    public long TornTailBytes { get; init; }

    /// <summary>Entries that the open of this instance recovered from the WAL.</summary>
    public long RecoveredEntries { get; init; }

    /// <summary>Message of the first failure, if the engine has latched it; otherwise null.</summary>
    public string? Fault { get; init; }

    /// <summary>Describes the engine on several lines, in groups, with units; for people, not for programs.</summary>
    public override string ToString() => StatisticsText.Of(this);
}
