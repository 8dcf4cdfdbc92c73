namespace Varve.Fuzz.Mutation;

/// <summary>The time limits of an execution.</summary>
internal sealed record Limits
{
    /// <summary>
    /// Longer than this, three times in a row, is a finding. Three, because the machine has other work.
    /// </summary>
    public TimeSpan Slow { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>When the watchdog reports an execution that has not ended.</summary>
    public TimeSpan Hang { get; init; } = TimeSpan.FromSeconds(20);
}
