namespace Varve.Storage;

/// <summary>A share where shares cannot be told: there <see cref="IStorage.IsShared"/> is always true.</summary>
internal sealed class AssumedShare : IDisposable
{
    public void Dispose()
    {
    }
}
