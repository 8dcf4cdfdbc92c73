namespace Varve;

/// <summary>
/// A file is intact and uses a version, a feature bit or a record type that this build does not know. Open it with the
/// build that wrote it, or a later one. The engine has changed nothing.
/// </summary>
/// <param name="path">Path of the file.</param>
/// <param name="offset">Offset of the unknown field, in bytes.</param>
/// <param name="met">The unknown content, such as <c>manifest of version 2</c>.</param>
public sealed class UnsupportedFormatException(string path, long offset, string met)
    : VarveException($"{path} at offset {offset}: {met}, which this build does not support")
{
    /// <summary>Path of the file.</summary>
    public string Path { get; } = path;

    /// <summary>
    /// Offset of the unknown field, in bytes; of a compressed file, in the decompressed bytes.
    /// </summary>
    public long Offset { get; } = offset;

    /// <summary>The unknown content, such as <c>manifest of version 2</c>.</summary>
    public string Met { get; } = met;
}
