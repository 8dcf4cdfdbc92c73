namespace Varve;

/// <summary>What the engine does with a gap in the log's indexes.</summary>
public enum LogGapPolicy
{
    /// <summary>The apply throws <see cref="LogGapException"/> and changes nothing.</summary>
    Reject,

    /// <summary>The apply accepts the gap.</summary>
    Allow,
}
