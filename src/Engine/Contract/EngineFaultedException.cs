namespace Varve;

/// <summary>
/// An earlier failure left the engine unable to keep a promise. This instance acknowledges nothing more: close it and
/// open the directory again.
/// </summary>
/// <param name="first">The first failure, which the engine keeps.</param>
public sealed class EngineFaultedException(Exception first)
    : VarveException($"The engine stopped accepting work after a failure: {first?.Message}", first);
