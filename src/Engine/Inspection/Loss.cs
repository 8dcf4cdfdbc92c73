namespace Varve.Inspection;

/// <summary>Content that a repair could not save.</summary>
/// <param name="File">Path of the file that held it.</param>
/// <param name="Offset">Offset in the file.</param>
/// <param name="What">The content, with its entries if they are known.</param>
/// <param name="After">Keys above this one may be missing or stale; null: unknown, or no key is lost.</param>
/// <param name="Before">Keys below this one may be missing or stale; null: no upper bound.</param>
internal sealed record Loss(string File, long Offset, string What, byte[]? After = null, byte[]? Before = null);
