using System.Globalization;
using System.Text;

namespace Varve.Contract;

/// <summary>Statistics as text that a person reads: one group a line, names in one column.</summary>
internal static class StatisticsText
{
    private const int NameWidth = 14;

    public static string Of(EngineStatistics statistics)
    {
        var text = new StringBuilder();
        AddState(text, statistics);
        AddWork(text, statistics);
        AddSizes(text, statistics);
        return text.ToString().TrimEnd();
    }

    private static void AddState(StringBuilder text, EngineStatistics s)
    {
        Line(text, "database", s.Name);
        if (s.Fault is { } fault) Line(text, "latched", fault);
        Line(
            text, "position",
            $"applied {s.LastApplied.Index} (term {s.LastApplied.Term}), durable {s.DurableLogId.Index}, "
                + $"lag {Count(s.DurableLag)} entries");
        Line(
            text, "recovered",
            $"{Count(s.RecoveredEntries)} entries in {Time(s.RecoveryTime)}, torn tail {Size(s.TornTailBytes)}");
        Line(text, "leases", Count(s.Leases));
        Line(
            text, "views",
            $"{Count(s.OpenViews)} open, the oldest for {Time(s.OldestViewAge)}, pins {Size(s.OldestViewBytes)}");
        Line(text, "changes", $"{Count(s.ChangeReaders)} readers, the slowest {Count(s.ChangeLag)} entries behind");
    }

    private static void AddWork(StringBuilder text, EngineStatistics s)
    {
        var operations = s.Operations;
        Line(text, "applied", $"{Count(s.EntriesApplied)} entries in {Count(s.ChunksApplied)} chunks");
        Line(
            text, "commands",
            $"insert {Count(operations.Inserts)}, delete {Count(operations.Deletes)}, "
                + $"swap {Count(operations.CompareAndSwaps)}, "
                + $"conditional delete {Count(operations.CompareAndDeletes)}, renew {Count(operations.Renewals)}, "
                + $"none {Count(operations.Noops)}, refused {Count(operations.Refused)}");
        Line(
            text, "written",
            $"log {Size(s.WalBytes)}, flushes {Size(s.FlushBytes)}, compactions {Size(s.CompactionBytes)}, "
                + $"manifest {Size(s.ManifestBytes)}, snapshots {Size(s.SnapshotBytes)}");
        Line(
            text, "amplified",
            $"{s.WriteAmplification.ToString("F2", CultureInfo.InvariantCulture)} bytes written for each byte logged");
        Line(
            text, "work",
            $"{Count(s.Flushes)} flushes in {Time(s.FlushTime)}, {Count(s.Compactions)} compactions in "
                + $"{Time(s.CompactionTime)}, {Count(s.Syncs)} syncs in {Time(s.SyncTime)}");
        Line(
            text, "snapshots",
            $"{Count(s.Snapshots)} made in {Time(s.SnapshotTime)}, {Count(s.Installs)} installed in "
                + Time(s.InstallTime));
        Line(
            text, "stalls",
            $"{Count(s.FlushStalls)} for a flush, {Count(s.Pauses)} pauses, {Count(s.SegmentStalls)} for a segment; "
                + $"{Time(s.StallTime)} in all");
    }

    private static void AddSizes(StringBuilder text, EngineStatistics s)
    {
        Line(
            text, "memory",
            $"{Size(s.MemoryBytes + s.ChunkBytes)} of {Size(s.MemoryBudgetBytes)}: {Count(s.Memtables)} memtables of "
                + $"{Size(s.MemtableBytes)}, index {Size(s.MemtableIndexBytes)}, chunks {Size(s.ChunkBytes)}");
        Line(
            text, "disk",
            $"{Size(s.Disk.Total)}: log {Size(s.Disk.Log)}, tables {Size(s.Disk.Tables)}, history "
                + $"{Size(s.Disk.History)}, spare {Size(s.Disk.Spare)}, manifest {Size(s.Disk.Manifest)}; free "
                + (s.FreeDiskBytes is { } free ? Size(free) : "unknown"));
        for (var run = 0; run < s.Runs.Count; run++)
            Line(
                text, $"run {run}",
                $"{Count(s.Runs[run].Tables)} tables, {Count(s.Runs[run].Rows)} rows, {Size(s.Runs[run].Bytes)}"
                    + (run == s.Runs.Count - 1 ? ", bottom" : ""));
    }

    private static void Line(StringBuilder text, string name, string value) =>
        text.Append(name.PadRight(NameWidth)).Append(value).Append('\n');

    private static string Count<T>(T value) where T : IFormattable =>
        value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Time(TimeSpan time) => time.TotalSeconds switch
    {
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.###} ms"),
        < 600 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.##} s"),
        _ => time.ToString(@"d\.hh\:mm\:ss", CultureInfo.InvariantCulture),
    };

    private static string Size(long bytes) => bytes switch
    {
        < 1L << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.#} KiB"),
        < 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.#} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.##} GiB"),
    };
}
