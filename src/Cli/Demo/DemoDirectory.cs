using System.Security.Cryptography;
using Varve.Cli.Text;

namespace Varve.Cli.Demo;

/// <summary>
/// The working directory of the demo: a temporary one below the current directory, or one that the user keeps.
/// </summary>
internal sealed class DemoDirectory : IDisposable
{
    private readonly bool _keep;

    public DemoDirectory(string? keep)
    {
        _keep = keep is not null;
        Path = System.IO.Path.GetFullPath(
            keep ?? "varve-demo-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)));
        if (Directory.Exists(Path) && Directory.EnumerateFileSystemEntries(Path).Any())
            throw new UsageException($"{Path}: not empty");
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    public string Below(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        if (!_keep) Directory.Delete(Path, recursive: true);
    }
}
