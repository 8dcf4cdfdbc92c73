namespace Varve.Commit;

/// <summary>The wait that is due before the next apply.</summary>
internal enum WriteStall
{
    None,

    /// <summary>A pause, which holds appliers to the rate of flushes.</summary>
    Pause,

    /// <summary>Too many memtables wait for their flush.</summary>
    Flush,
}
