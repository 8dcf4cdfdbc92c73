namespace Varve.Runtime;

/// <summary>
/// Totals of an engine since its open. Unless a member says otherwise, code raises it under the gate or on the one
/// thread that does the work. Reads take no lock.
/// </summary>
internal sealed class EngineCounters
{
    private long _pauses;
    private long _flushStalls;
    private long _stallTicks;
    private long _snapshotBytes;

    public long EntriesApplied { get; set; }

    public long ChunksApplied { get; set; }

    /// <summary>
    /// Commands applied, by <see cref="CommandKind"/>; the element after the last kind counts those that were refused.
    /// Used under the gate.
    /// </summary>
    public long[] Operations { get; } = new long[RefusedPlace + 1];

    /// <summary>The element of <see cref="Operations"/> that counts refused commands.</summary>
    public const int RefusedPlace = (int)CommandKind.Renew + 1;

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

    /// <summary>Counts an applier that waits for a flush. Any thread.</summary>
    public void AddFlushStall() => Interlocked.Increment(ref _flushStalls);

    /// <summary>Counts a pause of an applier. Any thread.</summary>
    public void AddPause() => Interlocked.Increment(ref _pauses);

    /// <summary>Adds the duration of an applier's wait or pause. Any thread.</summary>
    public void AddStallTime(TimeSpan time) => Interlocked.Add(ref _stallTicks, time.Ticks);

    /// <summary>Adds bytes of a created or installed snapshot. Any thread.</summary>
    public void AddSnapshotBytes(long bytes) => Interlocked.Add(ref _snapshotBytes, bytes);
}
