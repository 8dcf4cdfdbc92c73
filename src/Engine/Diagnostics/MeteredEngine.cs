namespace Varve.Diagnostics;

/// <summary>
/// An open engine as the observable instruments see it. It does not keep an engine alive that nobody closes. Any
/// thread.
/// </summary>
/// <param name="database">The database's name.</param>
/// <param name="source">Its statistics.</param>
internal sealed class MeteredEngine(string database, IStatisticsSource source)
{
    /// <summary>
    /// Instruments are collected one after the other. Those of one collection share a reading, which costs one entry
    /// into the gate.
    /// </summary>
    private const long ReadingLivesMs = 100;

    private readonly WeakReference<IStatisticsSource> _source = new(source);
    private Reading? _reading;

    /// <summary>The tag of its measurements.</summary>
    public KeyValuePair<string, object?> Tag { get; } = new(Instruments.DatabaseTag, database);

    /// <summary>False if it was dropped without a close.</summary>
    public bool IsAlive => _source.TryGetTarget(out _);

    /// <summary>
    /// A reading that is at most a tenth of a second old; null if the engine has been closed or cannot be read.
    /// </summary>
    public EngineStatistics? TryRead()
    {
        var now = Environment.TickCount64;
        if (Volatile.Read(ref _reading) is { } last && now - last.At <= ReadingLivesMs) return last.Statistics;
        if (!_source.TryGetTarget(out var source)) return null;
        try
        {
            var statistics = source.Read();
            Volatile.Write(ref _reading, new Reading(now, statistics));
            return statistics;
        }
#pragma warning disable CA1031 // Closed meanwhile, or short of memory: one database is missing, not all.
        catch (Exception)
#pragma warning restore CA1031
        {
            return null;
        }
    }

    /// <summary>Makes the next <see cref="TryRead"/> read anew.</summary>
    public void Expire() => Volatile.Write(ref _reading, null);

    private sealed record Reading(long At, EngineStatistics Statistics);
}
