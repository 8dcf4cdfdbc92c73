namespace Varve;

/// <summary>
/// An earlier failure left the engine unable to keep a promise. This instance acknowledges nothing more: close it and
/// open the directory again. It is a state, so that policies which retry I/O do not retry the call;
/// <see cref="Exception.InnerException"/> has the failure.
/// </summary>
/// <param name="first">The first failure, which the engine keeps.</param>
public sealed class EngineFaultedException(Exception first)
    : InvalidOperationException($"The engine stopped accepting work after a failure: {first?.Message}", first);
