namespace Varve.Contract;

/// <summary>The points at which an apply, an install or a reset needs memory, which a test may refuse.</summary>
internal enum Allocation
{
    /// <summary>An array of a chunk's buffers.</summary>
    Scratch,

    /// <summary>An array of terms.</summary>
    Terms,

    /// <summary>A list of outcomes.</summary>
    Outcomes,

    /// <summary>A version with a new memtable.</summary>
    Version,

    /// <summary>A part of the state that an install or a reset puts in place of the present one.</summary>
    State,

    /// <summary>No allocation: the record is finished, and every failure from here on latches the engine.</summary>
    AfterSeal,
}
