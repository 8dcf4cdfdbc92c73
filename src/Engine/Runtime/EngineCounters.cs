namespace Varve.Runtime;

/// <summary>
/// The running totals of an engine since it was opened. Each is raised under the gate, or by the one thread that does
/// the work, unless it says otherwise, and read without a lock.
/// </summary>
internal sealed class EngineCounters
{
    private long _pauses;
    private long _flushStalls;
    private long _stallTicks;
    private long _snapshotBytes;

    public long EntriesApplied { get; set; }

    public long ChunksApplied { get; set; }

    /// <summary>Rotations that found no memtable ready.</summary>
    public long SegmentStalls { get; set; }

    public long Flushes { get; set; }

    public long FlushBytes { get; set; }

    public long Compactions { get; set; }

    public long CompactionBytes { get; set; }

    public long Syncs { get; set; }

    public long FlushStalls => Volatile.Read(ref _flushStalls);

    public long Pauses => Volatile.Read(ref _pauses);

    public TimeSpan StallTime => TimeSpan.FromTicks(Volatile.Read(ref _stallTicks));

    public long SnapshotBytes => Volatile.Read(ref _snapshotBytes);

    /// <summary>An applier waits for a flush. Any thread.</summary>
    public void AddFlushStall() => Interlocked.Increment(ref _flushStalls);

    /// <summary>An applier is slowed down to the pace of flushes. Any thread.</summary>
    public void AddPause() => Interlocked.Increment(ref _pauses);

    /// <summary>The time that an applier was held back. Any thread.</summary>
    public void AddStallTime(TimeSpan time) => Interlocked.Add(ref _stallTicks, time.Ticks);

    /// <summary>Bytes of snapshots that were made or installed. Any thread.</summary>
    public void AddSnapshotBytes(long bytes) => Interlocked.Add(ref _snapshotBytes, bytes);
}
