namespace Varve;

/// <summary>
/// The process or the system has no file descriptor left. The engine has acknowledged nothing of the call, and works
/// again once there is one.
/// </summary>
/// <param name="path">Path of the file that could not be opened.</param>
/// <param name="inner">The failure of the operating system.</param>
public sealed class TooManyOpenFilesException(string path, Exception? inner = null)
    : VarveException($"{path}: no file descriptor left to open it with", inner)
{
    /// <summary>Path of the file that could not be opened.</summary>
    public string Path { get; } = path;
}
