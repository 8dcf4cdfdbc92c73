using System.Diagnostics.Metrics;

namespace Varve.Diagnostics;

/// <summary>
/// The instruments that are read from the statistics of each open engine when they are collected. Between collections
/// they cost nothing. Any thread.
/// </summary>
internal static class Observed
{
    /// <summary>Creates the instruments. Sums make sense for up-down counters, and do not for gauges.</summary>
    public static void CreateOn(Meter meter)
    {
        CreateWork(meter);
        CreateMemory(meter);
        CreateState(meter);
    }

    private static void CreateWork(Meter meter)
    {
        Counter(meter, "varve.entries", "{entry}", "Entries applied", "", ("", s => s.EntriesApplied));
        Counter(meter, "varve.chunks", "{chunk}", "Chunks applied", "", ("", s => s.ChunksApplied));
        Counter(
            meter, "varve.operations", "{operation}", "Commands applied, by kind", "varve.operation.kind",
            ("noop", s => s.Operations.Noops),
            ("insert", s => s.Operations.Inserts),
            ("delete", s => s.Operations.Deletes),
            ("compare_and_swap", s => s.Operations.CompareAndSwaps),
            ("compare_and_delete", s => s.Operations.CompareAndDeletes),
            ("renew", s => s.Operations.Renewals),
            ("refused", s => s.Operations.Refused));
        Counter(
            meter, "varve.io", "By", "Bytes written, by source", "varve.io.source",
            ("wal", s => s.WalBytes),
            ("flush", s => s.FlushBytes),
            ("compaction", s => s.CompactionBytes),
            ("manifest", s => s.ManifestBytes),
            ("snapshot", s => s.SnapshotBytes));
        Counter(meter, "varve.flushes", "{flush}", "Flushes", "", ("", s => s.Flushes));
        Counter(meter, "varve.compactions", "{compaction}", "Compactions", "", ("", s => s.Compactions));
        Counter(meter, "varve.syncs", "{sync}", "Syncs of the log", "", ("", s => s.Syncs));
        Counter(
            meter, "varve.stalls", "{stall}", "Times that an apply waited, by reason", "varve.stall.reason",
            ("flush", s => s.FlushStalls),
            ("pause", s => s.Pauses),
            ("segment", s => s.SegmentStalls));
        meter.CreateObservableCounter(
            "varve.stall.time", () => Measure("", ("", static s => s.StallTime.TotalSeconds)), "s",
            "Time that applies waited or paused for flushes");
    }

    private static void CreateMemory(Meter meter)
    {
        UpDown(meter, "varve.memtables", "{memtable}", "Memtables", "", ("", s => s.Memtables));
        UpDown(
            meter, "varve.memory.usage", "By", "Memory that counts against the budget, by kind", "varve.memory.kind",
            ("memtable", s => s.MemoryBytes - s.MemtableIndexBytes),
            ("index", s => s.MemtableIndexBytes),
            ("chunk", s => s.ChunkBytes));
        UpDown(meter, "varve.memory.limit", "By", "The memory budget", "", ("", s => s.MemoryBudgetBytes));
        UpDown(
            meter, "varve.level.runs", "{run}", "Sorted runs, by level", "varve.level",
            (Levels.Upper, s => Math.Max(0, s.Runs.Count - 1)),
            (Levels.Bottom, s => Math.Min(1, s.Runs.Count)));
        UpDown(
            meter, "varve.level.size", "By", "Size of the runs, by level", "varve.level",
            (Levels.Upper, s => s.Runs.SkipLast(1).Sum(run => run.Bytes)),
            (Levels.Bottom, s => s.Runs.TakeLast(1).Sum(run => run.Bytes)));
        UpDown(
            meter, "varve.level.rows", "{row}", "Rows of the runs, by level", "varve.level",
            (Levels.Upper, s => s.Runs.SkipLast(1).Sum(run => run.Rows)),
            (Levels.Bottom, s => s.Runs.TakeLast(1).Sum(run => run.Rows)));
        UpDown(
            meter, "varve.disk.usage", "By", "Disk space, by kind", "varve.disk.kind",
            ("log", s => s.Disk.Log),
            ("tables", s => s.Disk.Tables),
            ("history", s => s.Disk.History),
            ("spare", s => s.Disk.Spare),
            ("manifest", s => s.Disk.Manifest));
        Gauge(meter, "varve.disk.free", "By", "Free space of the volume", s => s.FreeDiskBytes);
    }

    private static void CreateState(Meter meter)
    {
        UpDown(meter, "varve.views", "{view}", "Open views", "", ("", s => s.OpenViews));
        meter.CreateObservableGauge(
            "varve.view.age", () => Measure("", ("", static s => s.OldestViewAge.TotalSeconds)), "s",
            "Age of the oldest open view");
        Gauge(meter, "varve.view.pinned", "By", "Bytes that the oldest view alone keeps", s => s.OldestViewBytes);
        Gauge(meter, "varve.index.applied", "{entry}", "The last applied index", s => (long)s.LastApplied.Index);
        Gauge(meter, "varve.index.durable", "{entry}", "The last durable index", s => (long)s.DurableLogId.Index);
        Gauge(
            meter, "varve.index.lag", "{entry}", "Applied entries that are not durable yet", s => (long)s.DurableLag);
        UpDown(meter, "varve.leases", "{lease}", "Leases that have not expired", "", ("", s => s.Leases));
        UpDown(
            meter, "varve.changes.readers", "{reader}", "Open enumerations of changes", "", ("", s => s.ChangeReaders));
        Gauge(
            meter, "varve.changes.lag", "{entry}", "Entries that the slowest enumeration of changes is behind",
            s => (long)s.ChangeLag);
        Gauge(
            meter, "varve.latched", "1", "1 if a failure has latched the engine, else 0", s => s.Fault is null ? 0 : 1);
    }

    private static void Counter(
        Meter meter, string name, string unit, string description, string tag,
        params (string Part, Func<EngineStatistics, long> Of)[] parts) =>
        meter.CreateObservableCounter(name, () => Measure(tag, parts), unit, description);

    private static void UpDown(
        Meter meter, string name, string unit, string description, string tag,
        params (string Part, Func<EngineStatistics, long> Of)[] parts) =>
        meter.CreateObservableUpDownCounter(name, () => Measure(tag, parts), unit, description);

    /// <summary>An engine without the value has no measurement.</summary>
    private static void Gauge(
        Meter meter, string name, string unit, string description, Func<EngineStatistics, long?> of) =>
        meter.CreateObservableGauge(
            name,
            () => Read().Where(read => of(read.Statistics) is not null).Select(
                read => new Measurement<long>(of(read.Statistics)!.Value, read.Engine.Tag)),
            unit,
            description);

    private static IEnumerable<Measurement<T>> Measure<T>(
        string tag, params (string Part, Func<EngineStatistics, T> Of)[] parts)
        where T : struct
    {
        foreach (var (engine, statistics) in Read())
        {
            foreach (var (part, of) in parts)
                yield return tag.Length == 0
                    ? new Measurement<T>(of(statistics), engine.Tag)
                    : new Measurement<T>(of(statistics), engine.Tag, new(tag, part));
        }
    }

    private static IEnumerable<(MeteredEngine Engine, EngineStatistics Statistics)> Read()
    {
        foreach (var engine in OpenEngines.All)
            if (engine.TryRead() is { } statistics) yield return (engine, statistics);
    }
}
