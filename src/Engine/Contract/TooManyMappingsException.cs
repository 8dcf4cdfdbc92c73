namespace Varve;

/// <summary>
/// The system refuses the process another memory mapping. The engine has acknowledged nothing of the call, and works
/// again once the system grants one.
/// </summary>
/// <param name="path">Path of the file that could not be mapped.</param>
/// <param name="inner">The failure of the operating system.</param>
public sealed class TooManyMappingsException(string path, Exception? inner = null)
    : VarveException(
        $"{path}: the system refuses another memory mapping (on Linux, raise vm.max_map_count or the address space "
            + "limit)",
        inner)
{
    /// <summary>Path of the file that could not be mapped.</summary>
    public string Path { get; } = path;
}
