namespace Varve.Bench.Micro.Engine;

/// <summary>A directory for databases in the working directory, so that it is on the device to be measured.</summary>
internal sealed class EngineDirectory : IDisposable
{
    private readonly string _path = Path.GetFullPath($"varve-micro-{Guid.NewGuid():N}");
    private int _next;

    public EngineDirectory() => Directory.CreateDirectory(_path);

    /// <summary>The path of a directory that does not exist yet.</summary>
    public string NewPath() => Path.Combine(_path, $"{_next++}");

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
