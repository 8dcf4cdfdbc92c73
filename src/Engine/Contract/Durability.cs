namespace Varve;

/// <summary>The failures that an acknowledged chunk survives.</summary>
public enum Durability
{
    /// <summary>
    /// The death of the process at any instant. After power loss the database opens at an earlier applied index.
    /// </summary>
    Process,

    /// <summary>Power loss too: the engine syncs a chunk before it acknowledges it.</summary>
    Power,

    /// <summary>
    /// A chunk survives a kill of the process, like under <see cref="Process"/>; the engine also syncs the log every
    /// <see cref="EngineOptions.SyncInterval"/>.
    /// </summary>
    Interval,
}
