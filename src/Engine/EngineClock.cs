namespace Varve;

/// <summary>
/// Asks the user's clock, which may throw and may call the engine: never under a lock, and never on a thread of the engine's own. Those
/// go by the time that the last caller saw.
/// </summary>
internal static class EngineClock
{
    /// <summary>Unix milliseconds; a time before 1970 is 0.</summary>
    /// <exception cref="InvalidOperationException">The clock threw; that is the inner exception. Nothing was done.</exception>
    public static ulong Read(TimeProvider provider)
    {
        try
        {
            return (ulong)Math.Max(0, provider.GetUtcNow().ToUnixTimeMilliseconds());
        }
        catch (Exception e)
        {
            throw new InvalidOperationException(
                $"{nameof(EngineOptions)}.{nameof(EngineOptions.TimeProvider)} failed to give the time; nothing was done: {e.Message}", e);
        }
    }
}
