namespace Varve.Inspection;

/// <summary>The result of a repair.</summary>
/// <param name="Problems">Findings of a deep verification of the source.</param>
/// <param name="Losses">Content that was not saved; empty if the result has all that an open would have kept.</param>
/// <param name="IsExact">True if the result is the state of exactly one index, <paramref name="LastApplied"/>;
/// otherwise it has the newest readable version of every key.</param>
/// <param name="LastApplied">Position of the result.</param>
/// <param name="LiveKeys">Number of live keys in the result.</param>
internal sealed record RepairReport(
    IReadOnlyList<Problem> Problems, IReadOnlyList<Loss> Losses, bool IsExact, LogId LastApplied, long LiveKeys);
