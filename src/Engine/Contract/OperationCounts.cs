namespace Varve;

/// <summary>Commands applied by an engine since its open, by kind. A condition that did not hold counts too.</summary>
public readonly record struct OperationCounts
{
    /// <summary>Entries without a command.</summary>
    public long Noops { get; init; }

    /// <summary>Inserts.</summary>
    public long Inserts { get; init; }

    /// <summary>Deletes.</summary>
    public long Deletes { get; init; }

    /// <summary>Compare-and-swaps.</summary>
    public long CompareAndSwaps { get; init; }

    /// <summary>Conditional deletes.</summary>
    public long CompareAndDeletes { get; init; }

    /// <summary>Renewals of leases.</summary>
    public long Renewals { get; init; }

    /// <summary>Commands out of their limits, under <see cref="InvalidCommands.Refuse"/>; in no other count.</summary>
    public long Refused { get; init; }
}
