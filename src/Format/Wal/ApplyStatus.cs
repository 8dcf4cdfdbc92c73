namespace Varve;

/// <summary>The outcome of a log entry. The values are frozen.</summary>
public enum ApplyStatus : byte
{
    /// <summary>Its effect is in the state; a no-op's is none.</summary>
    Applied = 0,

    /// <summary>A compare-and-swap met another value than it expected, and changed nothing.</summary>
    ExpectationFailed = 1,

    /// <summary>The command is out of its limits, under <c>InvalidCommands.Refuse</c>; it changed nothing.</summary>
    Refused = 2,
}
