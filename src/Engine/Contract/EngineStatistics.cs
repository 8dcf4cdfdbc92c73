namespace Varve;

/// <summary>A reading of the engine's counters; taken field by field, so exact only when nothing runs.</summary>
public sealed record EngineStatistics
{
    /// <summary>The last applied entry.</summary>
    public LogId LastApplied { get; init; }

    /// <summary>Everything up to here survives power loss.</summary>
    public LogId DurableLogId { get; init; }

    /// <summary>Entries applied by this instance.</summary>
    public long EntriesApplied { get; init; }

    /// <summary>Chunks applied by this instance.</summary>
    public long ChunksApplied { get; init; }

    /// <summary>Bytes appended to the WAL by this instance.</summary>
    public long WalBytes { get; init; }

    /// <summary>Bytes written by flushes of this instance.</summary>
    public long FlushBytes { get; init; }

    /// <summary>Bytes written by compactions of this instance.</summary>
    public long CompactionBytes { get; init; }

    /// <summary>Bytes written to manifests by this instance, from its open on.</summary>
    public long ManifestBytes { get; init; }

    /// <summary>
    /// Bytes written by this instance to make snapshots and to install them; what is linked is not written. Of those
    /// that failed or were given up, nothing.
    /// </summary>
    public long SnapshotBytes { get; init; }

    /// <summary>
    /// Bytes written to the log, tables and manifests for each byte logged by this instance, snapshots not counted; 0
    /// before the first.
    /// </summary>
    public double WriteAmplification =>
        WalBytes == 0 ? 0 : (WalBytes + FlushBytes + CompactionBytes + ManifestBytes) / (double)WalBytes;

    /// <summary>Flushes done.</summary>
    public long Flushes { get; init; }

    /// <summary>Compactions done, trivial moves not counted.</summary>
    public long Compactions { get; init; }

    /// <summary>Syncs of the WAL done.</summary>
    public long Syncs { get; init; }

    /// <summary>Times that an apply waited for a memtable to be flushed.</summary>
    public long FlushStalls { get; init; }

    /// <summary>
    /// Times that an apply paused for about a millisecond, so that flushes keep up and none has to wait for one.
    /// </summary>
    public long Pauses { get; init; }

    /// <summary>Times that an apply waited for the next segment to be ready.</summary>
    public long SegmentStalls { get; init; }

    /// <summary>All time that applies waited.</summary>
    public TimeSpan StallTime { get; init; }

    /// <summary>Memtables, the active one included.</summary>
    public int Memtables { get; init; }

    /// <summary>Bytes in the segments of the memtables that are in use.</summary>
    public long MemtableBytes { get; init; }

    /// <summary>Bytes of the memtables' indexes.</summary>
    public long MemtableIndexBytes { get; init; }

    /// <summary>
    /// Bytes of memory that are kept between chunks to apply them in: what the largest of late took, up to about 10
    /// MiB. They count against the budget.
    /// </summary>
    public long ChunkBytes { get; init; }

    /// <summary>
    /// Bytes of memory of memtables, which count against <see cref="MemoryBudgetBytes"/>, as <see cref="ChunkBytes"/>
    /// do.
    /// </summary>
    public long MemoryBytes { get; init; }

    /// <summary>The budget, in bytes: <see cref="EngineOptions.MemoryBudgetBytes"/>.</summary>
    public long MemoryBudgetBytes { get; init; }

    /// <summary>Sorted runs of tables, newest first: how many tables, rows and bytes each.</summary>
    public IReadOnlyList<RunStatistics> Runs { get; init; } = [];

    /// <summary>Views that are open, those that a dead thread left open too.</summary>
    public int OpenViews { get; init; }

    /// <summary>
    /// For how long the oldest open view has been open, by the timestamps of <see cref="EngineOptions.TimeProvider"/>;
    /// zero where none is.
    /// </summary>
    public TimeSpan OldestViewAge { get; init; }

    /// <summary>
    /// Bytes of the memtables (in memory) and tables (on disk) that the oldest open view reads and the present state no
    /// longer has: what its end lets go of, if nobody else holds it. Zero until something that it reads is replaced. It
    /// does not grow by what is written afterwards but for that.
    /// </summary>
    public long OldestViewBytes { get; init; }

    /// <summary>
    /// Bytes of the WAL left out as a torn tail when this instance opened; 0 after a clean stop. A read-only instance
    /// cannot tell them from a record that a writer is in the midst of.
    /// </summary>
    public long TornTailBytes { get; init; }

    /// <summary>Entries recovered from the WAL when this instance opened.</summary>
    public long RecoveredEntries { get; init; }

    /// <summary>The first failure, if the engine is latched.</summary>
    public string? Fault { get; init; }
}

/// <summary>One sorted run.</summary>
/// <param name="Tables">Files.</param>
/// <param name="Rows">Rows, tombstones included.</param>
/// <param name="Bytes">Bytes on disk.</param>
public readonly record struct RunStatistics(int Tables, long Rows, long Bytes);
