using Varve.Tables;

namespace Varve.Compaction;

/// <summary>
/// Decides what to compact; a pure function of a version and the options. Lazy leveling: upper runs gather until
/// <see cref="EngineOptions.UpperRunsMax"/> of about one size stand at the front, and become one of the next size; all
/// of them are merged with the bottom when together they have reached <see cref="EngineOptions.BottomMergeRatio"/> of
/// it. So an entry is rewritten once for each size above, and the bottom once for every share of growth. Runs that
/// interleave with nothing move down without being read.
/// <para>
/// Merging all upper runs whenever there are too many is the obvious rule, and lost: it rewrites the large ones among
/// them each time. Simulated with 340 flushes into one bottom (20 GB), it writes every byte 7 times more, and this 2.7
/// times (docs/decisions/0024).
/// </para>
/// </summary>
internal static class CompactionPicker
{
    /// <summary>The most runs merged at once; their heads are searched as vectors.</summary>
    public const int RunsAtOnceMax = 32;

    private const double SizeSpread = 1.5;
    private const long TombstonesMin = 1000;
    private const long IdleShare = 10;

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
    /// What to compact while a compaction is in progress: of the runs that are newer than all of its inputs.
    /// </summary>
    /// <param name="runs">The current ones.</param>
    /// <param name="newestInput">The newest input; no longer among the runs when their generation is over.</param>
    /// <param name="options">The engine's.</param>
    public static CompactionChoice PickAbove(Run[] runs, Run newestInput, EngineOptions options) =>
        PickUpper(runs.AsSpan(0, Math.Max(0, Array.IndexOf(runs, newestInput))), options);

    /// <summary>Everything into one run; nothing when it is one already and has nothing to drop.</summary>
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
    /// When there is nothing else to do: everything into one run, if what is hidden or deleted may take a tenth of the
    /// space.
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

    /// <summary>Of the newest runs, so many, the oldest: as many as can be merged at once.</summary>
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

    /// <summary>Whether deletes above would drop a good part of the bottom: scans walk over both.</summary>
    private static bool Hides(ReadOnlySpan<Run> upper, Run bottom)
    {
        var tombstones = 0L;
        foreach (var run in upper) tombstones += run.Tombstones;
        return tombstones >= TombstonesMin && tombstones * 4 >= bottom.Rows;
    }

    /// <summary>
    /// How many runs at the front are of about one size: none much larger than those before it are on average, or than
    /// a memtable.
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

    /// <summary>How many runs at the front cost least to merge for each run that goes.</summary>
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
    /// An upper run can join the bottom as it is when no key ranges meet and it has nothing that would vanish there.
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
