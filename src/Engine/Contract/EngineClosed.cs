namespace Varve.Contract;

/// <summary>The exception of every call on a closed engine. Its text does not depend on the caller's room.</summary>
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
