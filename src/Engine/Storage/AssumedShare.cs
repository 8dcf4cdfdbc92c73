namespace Varve.Storage;

/// <summary>
/// A share on a storage that cannot tell shares: there <see cref="IStorage.IsShared"/> is always true.
/// </summary>
internal sealed class AssumedShare : IDisposable
{
    public void Dispose()
    {
    }
}
