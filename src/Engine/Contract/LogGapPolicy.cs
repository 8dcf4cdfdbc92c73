namespace Varve;

/// <summary>Policy for gaps in the log's indexes.</summary>
public enum LogGapPolicy
{
    /// <summary>The apply throws <see cref="LogGapException"/> and changes nothing.</summary>
    Reject,

    /// <summary>The apply accepts the gap.</summary>
    Allow,
}
