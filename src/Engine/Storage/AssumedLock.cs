namespace Varve.Storage;

/// <summary>The lock of a file that is missing, on a storage that has no lock but a file's: nothing is held.</summary>
internal sealed class AssumedLock : IDisposable
{
    public void Dispose()
    {
    }
}
