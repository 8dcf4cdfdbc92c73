namespace Varve;

/// <summary>The outcome of an entry.</summary>
/// <param name="Index">Log index of the entry.</param>
/// <param name="Succeeded">True if the entry took effect; <see cref="Status"/> gives the reason if not.</param>
public readonly record struct ApplyResult(ulong Index, bool Succeeded)
{
    internal ApplyResult(ulong index, ApplyStatus status)
        : this(index, status == ApplyStatus.Applied) => Status = status;

    /// <summary>The outcome. A duplicate entry has the outcome of its first apply.</summary>
    public ApplyStatus Status { get; init; } = Succeeded ? ApplyStatus.Applied : ApplyStatus.ExpectationFailed;

    /// <summary>
    /// True if the entry took effect. False for a compare-and-swap that met another value than it expected, and for a
    /// refused command.
    /// </summary>
    public bool Succeeded
    {
        get => Status == ApplyStatus.Applied;
        init => Status = value ? ApplyStatus.Applied : ApplyStatus.ExpectationFailed;
    }
}
