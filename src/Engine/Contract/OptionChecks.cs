namespace Varve.Contract;

/// <summary>Checks the options of an open: each against its range, in the order of the options.</summary>
internal static class OptionChecks
{
    private const int NameLengthMax = 255;

    /// <summary>An option that is out of its range.</summary>
    /// <param name="Text">The option's name, its value and its range.</param>
    /// <param name="Value">The value; null if that is the problem.</param>
    internal sealed record Problem(string Text, object? Value);

    /// <exception cref="ArgumentNullException">A required option is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public static void Check(EngineOptions options)
    {
        if (FindProblem(options) is not { } problem) return;
        throw problem.Value is null
            ? new ArgumentNullException(nameof(options), problem.Text)
            : new ArgumentOutOfRangeException(nameof(options), problem.Value, problem.Text);
    }

    /// <summary>Finds the first option that is out of its range; null if there is none.</summary>
    public static Problem? FindProblem(EngineOptions options) =>
        Defined(options.Durability, nameof(options.Durability))
        ?? Defined(options.LeaseClock, nameof(options.LeaseClock))
        ?? Defined(options.LogGaps, nameof(options.LogGaps))
        ?? Defined(options.TableAccess, nameof(options.TableAccess))
        ?? Defined(options.InvalidCommands, nameof(options.InvalidCommands))
        ?? FindProblemOfTimes(options)
        ?? FindProblemOfName(options.Name)
        ?? Range(options.LowDiskBytes, 0, 1L << 50, nameof(options.LowDiskBytes))
        ?? Range(options.MemtableBytes, 64L << 10, 16L << 30, nameof(options.MemtableBytes))
        ?? Range(options.HistoryEntries, 0, 1 << 24, nameof(options.HistoryEntries))
        ?? Range(options.HistoryBytes, 0, 1L << 40, nameof(options.HistoryBytes))
        ?? Range(options.BlockBytes, 512, 1 << 20, nameof(options.BlockBytes))
        ?? Range(options.TableBytes, 64L << 10, 64L << 30, nameof(options.TableBytes))
        ?? Range(options.SpareTableBytes, 0, 1L << 40, nameof(options.SpareTableBytes))
        ?? Range(options.MemoryBudgetBytes, 64L << 10, 1L << 50, nameof(options.MemoryBudgetBytes))
        ?? Range(options.UpperRunsMax, 2, 32, nameof(options.UpperRunsMax))
        ?? Range(options.BottomMergeRatio, 0.05, 1.0, nameof(options.BottomMergeRatio))
        ?? Range(options.SealedMemtablesMax, 1, 64, nameof(options.SealedMemtablesMax))
        ?? Range(options.FilterBitsPerKey, 0, 32, nameof(options.FilterBitsPerKey))
        ?? (options.TimeProvider is null
            ? new Problem($"{nameof(EngineOptions)}.{nameof(options.TimeProvider)} is null.", null)
            : null);

    private static Problem? FindProblemOfTimes(EngineOptions options) =>
        (options.Durability == Durability.Interval
            ? Range(
                options.SyncInterval, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1),
                nameof(options.SyncInterval))
            : null)
        ?? (options.ExpiredLeaseRetention != Timeout.InfiniteTimeSpan
            ? Range(
                options.ExpiredLeaseRetention, TimeSpan.Zero, TimeSpan.FromDays(36_500),
                nameof(options.ExpiredLeaseRetention))
            : null)
        ?? (options.IdleAfter != Timeout.InfiniteTimeSpan
            ? Range(options.IdleAfter, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1), nameof(options.IdleAfter))
            : null)
        ?? (options.SlowSyncAfter != Timeout.InfiniteTimeSpan
            ? Range(
                options.SlowSyncAfter, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1),
                nameof(options.SlowSyncAfter))
            : null);

    private static Problem? FindProblemOfName(string? name) =>
        name is null || (name.Length <= NameLengthMax && !string.IsNullOrWhiteSpace(name))
            ? null
            : new Problem(
                $"{nameof(EngineOptions)}.{nameof(EngineOptions.Name)} has {name.Length} characters; 1 to "
                    + $"{NameLengthMax} are allowed, not all of them blank.",
                name);

    private static Problem? Range<T>(T value, T least, T most, string option) where T : IComparable<T> =>
        value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0
            ? null
            : new Problem(
                $"{nameof(EngineOptions)}.{option} is {value}; {least} to {most} is allowed.", value);

    private static Problem? Defined<T>(T value, string option) where T : struct, Enum =>
        Enum.IsDefined(value)
            ? null
            : new Problem(
                $"{nameof(EngineOptions)}.{option} is {value}; {string.Join(", ", Enum.GetNames<T>())} are allowed.",
                value);
}
