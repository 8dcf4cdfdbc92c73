namespace Varve.Memtables;

/// <summary>
/// Divides <see cref="EngineOptions.MemoryBudgetBytes"/> between the memtables that wait for their flush and those that
/// are made ahead, by the bytes of the largest of them. It frees no memory: if the budget is exceeded, appliers wait
/// sooner for flushes, and fewer memtables are made ahead. Reviewed under the gate at each seal and flush; read by any
/// thread.
/// </summary>
internal sealed class MemoryBudget
{
    private const int AheadMost = 4;
    private readonly EngineOptions _options;
    private int _sealedMax;
    private int _aheadMax;

    public MemoryBudget(EngineOptions options)
    {
        _options = options;
        // As long as there is no memtable: an index takes about half of its segment.
        Review(options.MemtableBytes + (options.MemtableBytes / 2), 0);
    }

    /// <summary>The number of sealed memtables that may wait for their flush before appliers wait.</summary>
    public int SealedMax => Volatile.Read(ref _sealedMax);

    /// <summary>The number of memtables that may be ready.</summary>
    public int AheadMax => Volatile.Read(ref _aheadMax);

    /// <summary>
    /// Divides the budget anew.
    /// </summary>
    /// <param name="bytesEach">Bytes of the largest memtable.</param>
    /// <param name="bytesElsewhere">Bytes of memtables that are neither in the current version nor ready, and other
    /// bytes that count against the budget.</param>
    public void Review(long bytesEach, long bytesElsewhere)
    {
        var count = (int)Math.Clamp((_options.MemoryBudgetBytes - bytesElsewhere) / bytesEach, 0, 1 << 16);
        var ahead = Math.Clamp(count / 3, 1, AheadMost);
        Volatile.Write(ref _aheadMax, ahead);
        // Without the active one, and without the one that the last applier to pass seals.
        Volatile.Write(ref _sealedMax, Math.Clamp(count - ahead - 2, 1, _options.SealedMemtablesMax));
    }
}
