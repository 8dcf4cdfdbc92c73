namespace Varve;

/// <summary>The command of a committed log entry. The values are frozen: they are on disk.</summary>
public enum CommandKind : byte
{
    /// <summary>Advances the applied index and does nothing else.</summary>
    Noop = 0,

    /// <summary>Sets a key, with an optional time to live.</summary>
    Insert = 1,

    /// <summary>Removes a key; removing an absent key succeeds.</summary>
    Delete = 2,

    /// <summary>Sets a key only if its present value is the expected one.</summary>
    CompareAndSwap = 3,

    /// <summary>Removes a key only if its present value is the expected one.</summary>
    CompareAndDelete = 4,

    /// <summary>Gives a live key another lease and keeps its value.</summary>
    Renew = 5,
}
