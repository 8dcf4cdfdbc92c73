using Varve.Tables;

namespace Varve.Compaction;

/// <summary>
/// Decides which runs to compact; pure functions of a version's runs and the options. Lazy leveling: once the newest
/// <see cref="EngineOptions.UpperRunsMax"/> runs have about one size, they are merged into a run of the next size. All
/// upper runs are merged with the bottom run once together they have reached
/// <see cref="EngineOptions.BottomMergeRatio"/> of it. So an entry is rewritten once for each size above the bottom,
/// and the bottom once for every share of growth. A run that overlaps no table of the bottom moves down unread.
/// <para>
/// The obvious rule merges all upper runs when there are too many. It lost: it rewrites the large ones each time.
/// Simulated with 340 flushes into one bottom (20 GB), it writes every byte 7 times more, this rule 2.7 times
/// (decision 0024).
/// </para>
/// </summary>
internal static class CompactionPicker
{
    /// <summary>The most inputs of one merge; their heads are searched as vectors.</summary>
    public const int RunsAtOnceMax = 32;

    private const double SizeSpread = 1.5;
    private const long TombstonesMin = 1000;
    private const long IdleShare = 10;

    /// <summary>The compaction to do next.</summary>
    public static CompactionChoice Pick(ReadOnlySpan<Run> runs, EngineOptions options)
    {
        if (runs.Length == 1)
            return IsMostlyTombstones(runs[0]) ? Merge(1) : CompactionChoice.None;
        if (runs.Length == 0) return CompactionChoice.None;
        if (CanMove(runs[^2], runs[^1], options.TablesInRunMax))
            return new CompactionChoice(runs.Length - 2, 2, CompactionKind.TrivialMove);

        var upper = runs[..^1];
        if (upper.Length >= options.UpperRunsMax && HasGrownTo(upper, runs[^1], options.BottomMergeRatio))
            return Merge(runs.Length);
        if (Hides(upper, runs[^1])) return Merge(runs.Length);
        return PickUpper(upper, options);
    }

    /// <summary>
    /// The compaction to nest in another that is under way: of the runs that are newer than all of its inputs.
    /// </summary>
    /// <param name="runs">The current runs, newest first.</param>
    /// <param name="newestInput">The newest input. If its generation is gone it is not among the runs, and none is
    /// picked.</param>
    /// <param name="options">The engine's.</param>
    public static CompactionChoice PickAbove(Run[] runs, Run newestInput, EngineOptions options) =>
        PickUpper(runs.AsSpan(0, Math.Max(0, Array.IndexOf(runs, newestInput))), options);

    /// <summary>A merge of all runs; none if there is a single run with nothing to drop.</summary>
    public static CompactionChoice PickAll(ReadOnlySpan<Run> runs)
    {
        if (runs.Length == 0) return CompactionChoice.None;
        if (runs.Length > 1) return Merge(runs.Length);
        foreach (var table in runs[0].Tables)
            if (table.Descriptor.TombstoneCount + table.Descriptor.LeaseCount > 0)
                return new CompactionChoice(0, 1, CompactionKind.Merge);
        return CompactionChoice.None;
    }

    /// <summary>
    /// A merge of all runs of an idle database, if hidden and deleted rows may take a tenth of the space.
    /// </summary>
    public static CompactionChoice PickIdle(ReadOnlySpan<Run> runs)
    {
        long bytes = 0, rows = 0, tombstones = 0;
        foreach (var run in runs)
        {
            bytes += run.Bytes;
            rows += run.Rows;
            tombstones += run.Tombstones;
        }

        if (rows == 0) return CompactionChoice.None;
        var mayHide = (bytes - runs[^1].Bytes) * IdleShare >= runs[^1].Bytes || tombstones * IdleShare >= rows;
        return mayHide && (runs.Length > 1 || tombstones > 0) ? Merge(runs.Length) : CompactionChoice.None;
    }

    private static CompactionChoice PickUpper(ReadOnlySpan<Run> upper, EngineOptions options)
    {
        var alike = CountAlike(upper, options.MemtableBytes);
        if (alike >= options.UpperRunsMax) return Merge(alike);
        return upper.Length >= 2 * options.UpperRunsMax ? Merge(Cheapest(upper)) : CompactionChoice.None;
    }

    /// <summary>Caps a merge at <see cref="RunsAtOnceMax"/> inputs, leaving out the newest.</summary>
    private static CompactionChoice Merge(int count)
    {
        var most = Math.Min(count, RunsAtOnceMax);
        return new CompactionChoice(count - most, most, CompactionKind.Merge);
    }

    private static bool HasGrownTo(ReadOnlySpan<Run> upper, Run bottom, double ratio)
    {
        var bytes = 0L;
        foreach (var run in upper) bytes += run.Bytes;
        return bytes >= bottom.Bytes * ratio;
    }

    /// <summary>
    /// True if tombstones in upper runs may delete a quarter of the bottom's rows: scans step over both.
    /// </summary>
    private static bool Hides(ReadOnlySpan<Run> upper, Run bottom)
    {
        var tombstones = 0L;
        foreach (var run in upper) tombstones += run.Tombstones;
        return tombstones >= TombstonesMin && tombstones * 4 >= bottom.Rows;
    }

    /// <summary>
    /// The number of newest runs that have about one size: none is much larger than the average of those before it, or
    /// than a memtable.
    /// </summary>
    private static int CountAlike(ReadOnlySpan<Run> upper, long memtableBytes)
    {
        var bytes = 0L;
        for (var i = 0; i < upper.Length; i++)
        {
            if (i > 0 && upper[i].Bytes > Math.Max(memtableBytes, SizeSpread * bytes / i)) return i;
            bytes += upper[i].Bytes;
        }

        return upper.Length;
    }

    /// <summary>The number of newest runs whose merge costs the fewest bytes for each run that it removes.</summary>
    private static int Cheapest(ReadOnlySpan<Run> upper)
    {
        var bytes = (double)upper[0].Bytes;
        var (best, least) = (2, double.MaxValue);
        for (var count = 2; count <= upper.Length; count++)
        {
            bytes += upper[count - 1].Bytes;
            if (bytes / (count - 1) >= least) continue;
            (best, least) = (count, bytes / (count - 1));
        }

        return best;
    }

    private static bool IsMostlyTombstones(Run run) => run.Tombstones * 2 > run.Rows;

    /// <summary>
    /// Trivial move: the upper run overlaps no table of the bottom and holds no tombstones.
    /// </summary>
    private static bool CanMove(Run upper, Run bottom, int tablesMax)
    {
        if (upper.Tables.Length + bottom.Tables.Length > tablesMax) return false;
        foreach (var table in upper.Tables)
        {
            if (table.Descriptor.TombstoneCount > 0) return false;
            if (bottom.Overlaps(table.Descriptor.SmallestKey, table.Descriptor.LargestKey)) return false;
        }

        return true;
    }
}
