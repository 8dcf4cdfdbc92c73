namespace Varve.Tests.Crash.Children;

/// <summary>A directory for a run, gone with it.</summary>
internal sealed class CrashDirectory : IDisposable
{
    public CrashDirectory(string parent)
    {
        Path = System.IO.Path.Combine(parent, $"varve-crash-{Environment.ProcessId}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
