namespace Varve.Contract;

/// <summary>The points at which an apply, an install or a reset needs memory, which a test may refuse.</summary>
internal enum Allocation
{
    /// <summary>An array of the scratch room of a chunk.</summary>
    Scratch,

    /// <summary>An array of terms.</summary>
    Terms,

    /// <summary>A list of outcomes.</summary>
    Outcomes,

    /// <summary>A version with one memtable more.</summary>
    Version,

    /// <summary>Part of a state that is to replace the present one: by an install or a reset.</summary>
    State,

    /// <summary>None is left to be made: what fails from here on latches.</summary>
    AfterSeal,
}
