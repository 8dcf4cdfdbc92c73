namespace Varve.Memtables;

/// <summary>
/// Divides <see cref="EngineOptions.MemoryBudgetBytes"/> between the memtables that wait for their flush and those that
/// are made ahead, by what the largest of them takes. What is there already is not taken back: appliers wait sooner for
/// flushes, and fewer are made. Reviewed whenever a memtable is sealed or flushed, under the gate; read by any thread.
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
        // Before there is any: an index takes about half of its segment.
        Review(options.MemtableBytes + (options.MemtableBytes / 2), 0);
    }

    /// <summary>How many sealed memtables may wait before appliers do.</summary>
    public int SealedMax => Volatile.Read(ref _sealedMax);

    /// <summary>How many memtables may be ready.</summary>
    public int AheadMax => Volatile.Read(ref _aheadMax);

    /// <summary>
    /// Takes in what a memtable takes, and what memtables take that are neither in the current version nor ready.
    /// </summary>
    public void Review(long bytesEach, long bytesElsewhere)
    {
        var count = (int)Math.Clamp((_options.MemoryBudgetBytes - bytesElsewhere) / bytesEach, 0, 1 << 16);
        var ahead = Math.Clamp(count / 3, 1, AheadMost);
        Volatile.Write(ref _aheadMax, ahead);
        // Beside the active one, and the one that is sealed while appliers are let through for the last time.
        Volatile.Write(ref _sealedMax, Math.Clamp(count - ahead - 2, 1, _options.SealedMemtablesMax));
    }
}
