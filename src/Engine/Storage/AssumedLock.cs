namespace Varve.Storage;

/// <summary>The lock of a missing file on a storage that locks only files: it holds nothing.</summary>
internal sealed class AssumedLock : IDisposable
{
    public void Dispose()
    {
    }
}
