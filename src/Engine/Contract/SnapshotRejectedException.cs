namespace Varve;

/// <summary>The engine refused a snapshot before it touched the live state, which continues to serve.</summary>
/// <param name="path">Path of the snapshot, or of the part that is wrong.</param>
/// <param name="reason">The problem, as one clause.</param>
/// <param name="inner">The failure that revealed the problem, if any.</param>
public sealed class SnapshotRejectedException(string path, string reason, Exception? inner = null)
    : VarveException($"{path}: snapshot rejected: {reason}", inner)
{
    /// <summary>Path of the snapshot, or of the part that is wrong.</summary>
    public string Path { get; } = path;
}
