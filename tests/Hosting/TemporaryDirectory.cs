namespace Varve.Tests.Hosting;

/// <summary>A directory of its own for a test, deleted at its end.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("varve-hosting-").FullName;

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
