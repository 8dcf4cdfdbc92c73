namespace Varve;

/// <summary>
/// The log no longer has the changes that a reader asks for, or was about to read: they were flushed and are behind the
/// kept history, or the state was replaced. Read the state, and then the changes after it. The exception tells a state,
/// not a failure, so that policies which retry I/O do not retry the call.
/// </summary>
/// <param name="oldestIndex">The oldest index from which changes can be read.</param>
public sealed class ChangesLostException(ulong oldestIndex)
    : InvalidOperationException(
        $"The log no longer has these changes; the oldest index that can be read is {oldestIndex}.")
{
    /// <summary>The oldest index from which changes can be read.</summary>
    public ulong OldestIndex { get; } = oldestIndex;
}
