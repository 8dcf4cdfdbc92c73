namespace Varve.Contract;

/// <summary>Checks options at open; the message names the option and its range.</summary>
internal static class OptionChecks
{
    public static void Check(EngineOptions options)
    {
        Defined(options.Durability, nameof(options.Durability));
        Defined(options.LeaseClock, nameof(options.LeaseClock));
        Defined(options.LogGaps, nameof(options.LogGaps));
        Defined(options.TableAccess, nameof(options.TableAccess));
        Defined(options.InvalidCommands, nameof(options.InvalidCommands));
        if (options.Durability == Durability.Interval)
            Range(
                options.SyncInterval, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1),
                nameof(options.SyncInterval));
        if (options.ExpiredLeaseRetention != Timeout.InfiniteTimeSpan)
            Range(
                options.ExpiredLeaseRetention, TimeSpan.Zero, TimeSpan.FromDays(36_500),
                nameof(options.ExpiredLeaseRetention));
        Range(options.MemtableBytes, 64L << 10, 16L << 30, nameof(options.MemtableBytes));
        Range(options.HistoryEntries, 0, 1 << 24, nameof(options.HistoryEntries));
        Range(options.HistoryBytes, 0, 1L << 40, nameof(options.HistoryBytes));
        Range(options.BlockBytes, 512, 1 << 20, nameof(options.BlockBytes));
        Range(options.TableBytes, 64L << 10, 64L << 30, nameof(options.TableBytes));
        Range(options.SpareTableBytes, 0, 1L << 40, nameof(options.SpareTableBytes));
        if (options.IdleAfter != Timeout.InfiniteTimeSpan)
            Range(options.IdleAfter, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1), nameof(options.IdleAfter));
        Range(options.MemoryBudgetBytes, 64L << 10, 1L << 50, nameof(options.MemoryBudgetBytes));
        Range(options.UpperRunsMax, 2, 32, nameof(options.UpperRunsMax));
        Range(options.BottomMergeRatio, 0.05, 1.0, nameof(options.BottomMergeRatio));
        Range(options.SealedMemtablesMax, 1, 64, nameof(options.SealedMemtablesMax));
        Range(options.FilterBitsPerKey, 0, 32, nameof(options.FilterBitsPerKey));
        if (options.TimeProvider is null)
            throw new ArgumentNullException(
                nameof(options), $"{nameof(EngineOptions)}.{nameof(options.TimeProvider)} is null.");
    }

    private static void Range<T>(T value, T least, T most, string option) where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
            throw new ArgumentOutOfRangeException(
                "options", value, $"{nameof(EngineOptions)}.{option} is {value}; {least} to {most} is allowed.");
    }

    private static void Defined<T>(T value, string option) where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            throw new ArgumentOutOfRangeException(
                "options", value, $"{nameof(EngineOptions)}.{option} is no known value.");
    }
}
