namespace Varve;

/// <summary>
/// An entry is not above the applied position and has no known outcome: it was applied too long ago, or the position
/// moved past it. Nothing was applied. It is an error of the caller, so that policies which retry I/O do not retry it.
/// </summary>
public sealed class DuplicateEntryException : InvalidOperationException
{
    /// <summary>Reports an entry whose outcome the engine no longer keeps.</summary>
    /// <param name="index">Log index of the entry.</param>
    public DuplicateEntryException(ulong index)
        : this(index, $"Entry {index} was applied before and its outcome is no longer kept")
    {
    }

    private DuplicateEntryException(ulong index, string message) : base(message) => Index = index;

    /// <summary>Log index of the entry.</summary>
    public ulong Index { get; }

    internal static DuplicateEntryException OfPassedOver(ulong index, ulong applied) =>
        new(index, $"Entry {index} was never applied: the position, at {applied} now, was moved past it");
}
