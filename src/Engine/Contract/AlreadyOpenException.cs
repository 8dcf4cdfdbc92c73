namespace Varve;

/// <summary>Another engine, in this process or another, has the directory open for writing.</summary>
/// <param name="directory">Path of the directory.</param>
public sealed class AlreadyOpenException(string directory)
    : VarveException($"{directory}: already open by another engine")
{
    /// <summary>Path of the directory.</summary>
    public string Directory { get; } = directory;
}
