namespace Varve.Runtime;

/// <summary>Timers of the user's <see cref="EngineOptions.TimeProvider"/>.</summary>
internal static class UserTimer
{
    /// <summary>
    /// Disposes a timer. An exception of the user's code is dropped: nothing depends on the timer any more.
    /// </summary>
    public static void Dispose(ITimer? timer)
    {
        try
        {
            timer?.Dispose();
        }
#pragma warning disable CA1031 // The user's code may throw anything.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }
}
