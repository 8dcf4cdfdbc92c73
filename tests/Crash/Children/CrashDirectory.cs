namespace Varve.Tests.Crash.Children;

/// <summary>A directory for a run, gone with it; those of runs that were cut off go with the next.</summary>
internal sealed class CrashDirectory : IDisposable
{
    private const string Prefix = "varve-crash-";

    public CrashDirectory(string parent)
    {
        Sweep(parent);
        Path = System.IO.Path.Combine(parent, $"{Prefix}{Environment.ProcessId}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private static void Sweep(string parent)
    {
        foreach (var path in Directory.GetDirectories(parent, Prefix + "*"))
        {
            var owner = System.IO.Path.GetFileName(path)[Prefix.Length..].Split('-')[0];
            if (!int.TryParse(owner, out var id) || IsAlive(id)) continue;
            try
            {
                Directory.Delete(path, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Somebody else's, or another run sweeps it too.
            }
        }
    }

    private static bool IsAlive(int id)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(id);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
