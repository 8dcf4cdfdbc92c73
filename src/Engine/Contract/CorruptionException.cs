namespace Varve;

/// <summary>A file holds bytes that the engine did not write. The engine does not continue with them.</summary>
public sealed class CorruptionException : VarveException
{
    /// <summary>Reports a damaged byte range of a file.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="offset">Offset of the damage, in bytes.</param>
    /// <param name="kind">The structure at the offset, such as <c>segment header</c>.</param>
    /// <param name="expected">The expected content, if there is exactly one.</param>
    /// <param name="actual">The content of the file.</param>
    /// <param name="inner">The failure that revealed the damage, if any.</param>
    public CorruptionException(
        string path, long offset, string kind, string? expected = null, string? actual = null, Exception? inner = null)
        : this(
            expected is null ? "damaged" : $"{actual ?? "other bytes"} instead of {expected}", path, offset, kind,
            expected, actual, inner)
    {
    }

    private CorruptionException(
        string problem, string path, long offset, string kind, string? expected, string? actual, Exception? inner)
        : base($"{path} at offset {offset}: {kind}: {problem}", inner)
    {
        Path = path;
        Offset = offset;
        Kind = kind;
        Problem = problem;
        Expected = expected;
        Actual = actual;
    }

    /// <summary>Reports a damaged byte range by one clause, which states the problem.</summary>
    internal static CorruptionException Of(
        string path, long offset, string kind, string problem, string? expected = null, string? actual = null) =>
        new(problem, path, offset, kind, expected, actual, null);

    /// <summary>Path of the damaged file.</summary>
    public string Path { get; }

    /// <summary>Offset of the damage, in bytes.</summary>
    public long Offset { get; }

    /// <summary>The structure at the offset, such as <c>segment header</c>.</summary>
    public string Kind { get; }

    /// <summary>The problem, as in the message.</summary>
    public string Problem { get; }

    /// <summary>The expected content; null if there is not exactly one.</summary>
    public string? Expected { get; }

    /// <summary>The content of the file; null if <see cref="Problem"/> states it.</summary>
    public string? Actual { get; }
}
