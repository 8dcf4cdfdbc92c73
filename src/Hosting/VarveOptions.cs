namespace Varve.Extensions.Hosting;

/// <summary>One database of a host: its directory, and the options of its engine.</summary>
/// <remarks>
/// In configuration, <c>Directory</c> and the names of <see cref="EngineOptions"/> stand side by side in one section.
/// </remarks>
public sealed class VarveOptions
{
    /// <summary>The database's directory. A relative path is below the host's content root. Required.</summary>
    public string Directory { get; set; } = "";

    /// <summary>
    /// The engine's options. If <see cref="EngineOptions.LoggerFactory"/> is null, the engine logs to the host's.
    /// </summary>
    public EngineOptions Engine { get; set; } = new();
}
