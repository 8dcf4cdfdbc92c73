namespace Varve.Runtime;

/// <summary>Timers of the user's <see cref="EngineOptions.TimeProvider"/>.</summary>
internal static class UserTimer
{
    /// <summary>
    /// Lets go of a timer. It is the user's: what it throws is dropped, and nothing depends on it any more.
    /// </summary>
    public static void Dispose(ITimer? timer)
    {
        try
        {
            timer?.Dispose();
        }
#pragma warning disable CA1031 // It is the user's code, and whatever it throws is its own affair.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }
}
