namespace Varve.Inspection;

/// <summary>Something that a repair could not save.</summary>
/// <param name="File">Where it stood.</param>
/// <param name="Offset">Where in the file.</param>
/// <param name="What">What it was, with its entries where they are known.</param>
/// <param name="After">Keys above this one may be missing or stale; null: not known, or not a loss of keys.</param>
/// <param name="Before">And below this one; null: to the end.</param>
internal sealed record Loss(string File, long Offset, string What, byte[]? After = null, byte[]? Before = null);

/// <summary>What a repair came to.</summary>
/// <param name="Problems">What a deep verification found in the source.</param>
/// <param name="Losses">What could not be saved; empty: nothing that an open would have kept.</param>
/// <param name="IsExact">The result is the state of exactly one index, <paramref name="LastApplied"/>; otherwise it is
/// the newest readable version of every key.</param>
/// <param name="LastApplied">Where the result stands.</param>
/// <param name="LiveKeys">Keys in it.</param>
internal sealed record RepairReport(
    IReadOnlyList<Problem> Problems, IReadOnlyList<Loss> Losses, bool IsExact, LogId LastApplied, long LiveKeys);
