namespace Varve;

/// <summary>
/// The first index of a chunk is above the next one, under <see cref="LogGapPolicy.Reject"/>. Nothing was applied. It
/// is an error of the caller, so that policies which retry I/O do not retry it.
/// </summary>
/// <param name="expected">The next index.</param>
/// <param name="actual">The index in the chunk.</param>
public sealed class LogGapException(ulong expected, ulong actual)
    : InvalidOperationException($"Log gap: expected index {expected}, got {actual}")
{
    /// <summary>The next index.</summary>
    public ulong ExpectedIndex { get; } = expected;

    /// <summary>The index in the chunk.</summary>
    public ulong ActualIndex { get; } = actual;
}
