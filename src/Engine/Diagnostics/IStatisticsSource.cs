namespace Varve.Diagnostics;

/// <summary>Reads the statistics of one engine. Any thread.</summary>
internal interface IStatisticsSource
{
    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    EngineStatistics Read();
}
