namespace Varve;

/// <summary>
/// The disk is full. The engine has acknowledged nothing of the call, and works again once there is space.
/// </summary>
/// <param name="path">Path of the file that could not grow.</param>
/// <param name="inner">The failure of the operating system.</param>
public sealed class StorageFullException(string path, Exception? inner = null)
    : VarveException($"{path}: no space left on the device", inner)
{
    /// <summary>Path of the file that could not grow.</summary>
    public string Path { get; } = path;
}
