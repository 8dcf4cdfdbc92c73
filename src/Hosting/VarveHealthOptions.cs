namespace Varve.Extensions.Hosting;

/// <summary>The bounds beyond which a health check calls an engine degraded.</summary>
public sealed class VarveHealthOptions
{
    /// <summary>
    /// The largest share of the time since the last check that appliers may have waited for flushes. The default is
    /// 0.1.
    /// </summary>
    public double StallShareMax { get; set; } = 0.1;

    /// <summary>
    /// The largest number of applied entries that a power loss may take, <see cref="LsmStateMachine.LastApplied"/>
    /// minus <see cref="LsmStateMachine.DurableLogId"/>, or null for no bound. The default is null:
    /// <see cref="Durability.Process"/> syncs at a flush, so its distance has no natural bound.
    /// </summary>
    public ulong? DurableLagMax { get; set; }

    /// <summary>
    /// The smallest free space of the database's volume, in bytes, or null for the bound at which the engine itself
    /// logs a warning: <see cref="EngineOptions.LowDiskBytes"/>. The default is null.
    /// </summary>
    public long? FreeBytesMin { get; set; }
}
