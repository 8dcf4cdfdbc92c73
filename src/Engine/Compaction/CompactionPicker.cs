using Varve.Versions;

namespace Varve.Compaction;

/// <summary>What to compact: the runs from <paramref name="First"/> (newest first) for <paramref name="Count"/> of them into one.</summary>
/// <param name="First">Index of the newest input run.</param>
/// <param name="Count">How many runs; 0: nothing to do.</param>
/// <param name="IsMove">Their tables can become one run as they are: no key is in two of them.</param>
internal readonly record struct CompactionChoice(int First, int Count, bool IsMove)
{
    public static CompactionChoice None => default;
}

/// <summary>
/// Decides what to compact; a pure function of a version and the options. Lazy leveling: upper runs gather until there are
/// <see cref="EngineOptions.UpperRunsMax"/>; then they are merged among themselves, or with the bottom when together they have
/// reached <see cref="EngineOptions.BottomMergeRatio"/> of its size. So an entry is rewritten once or twice above and the bottom
/// once for every share of growth. Runs that interleave with nothing move down without being read.
/// </summary>
internal static class CompactionPicker
{
    public static CompactionChoice Pick(ReadOnlySpan<Run> runs, EngineOptions options)
    {
        if (runs.Length < 2) return CompactionChoice.None;
        if (CanMove(runs[^2], runs[^1])) return new CompactionChoice(runs.Length - 2, 2, IsMove: true);

        var upper = runs.Length - 1;
        if (upper < options.UpperRunsMax) return CompactionChoice.None;
        var bytes = 0L;
        foreach (var run in runs[..upper]) bytes += run.Bytes;
        return bytes >= runs[^1].Bytes * options.BottomMergeRatio
            ? new CompactionChoice(0, runs.Length, IsMove: false)
            : new CompactionChoice(0, upper, IsMove: false);
    }

    /// <summary>Everything into one run; nothing when it is one already and has nothing to drop.</summary>
    public static CompactionChoice PickAll(ReadOnlySpan<Run> runs)
    {
        if (runs.Length == 0) return CompactionChoice.None;
        if (runs.Length == 1)
        {
            foreach (var table in runs[0].Tables)
                if (table.Descriptor.TombstoneCount + table.Descriptor.LeaseCount > 0) return new CompactionChoice(0, 1, IsMove: false);
            return CompactionChoice.None;
        }

        return new CompactionChoice(0, runs.Length, IsMove: false);
    }

    /// <summary>An upper run can join the bottom as it is when no key ranges meet and it has nothing that would vanish there.</summary>
    private static bool CanMove(Run upper, Run bottom)
    {
        foreach (var table in upper.Tables)
        {
            if (table.Descriptor.TombstoneCount > 0) return false;
            if (bottom.Overlaps(table.Descriptor.SmallestKey, table.Descriptor.LargestKey)) return false;
        }

        return true;
    }
}
