namespace Varve.Contract;

/// <summary>What every call on a closed engine is answered with.</summary>
internal static class EngineClosed
{
    private const string Engine = "Varve.LsmStateMachine";

    public static ObjectDisposedException Exception() => new(Engine);

    /// <exception cref="ObjectDisposedException">The engine is closed.</exception>
    public static void ThrowIf(bool isClosed)
    {
        if (isClosed) throw Exception();
    }
}
