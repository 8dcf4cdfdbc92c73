namespace Varve;

/// <summary>
/// Policy for chunks that hold a command out of its limits (<see cref="Command.TryValidate"/>).
/// </summary>
public enum InvalidCommands
{
    /// <summary>Each apply of the chunk throws <see cref="ArgumentException"/>.</summary>
    Throw,

    /// <summary>
    /// The engine refuses that entry alone: it counts as applied, its outcome is <see cref="ApplyStatus.Refused"/>, and
    /// a duplicate gets the same outcome. The outcome is logged and depends on the entry alone, so replicas agree. An
    /// apply still throws for bytes that are no chunk.
    /// </summary>
    Refuse,
}
