namespace Varve.Samples.Locks;

/// <summary>
/// The resource that a lock protects. It refuses a token below the largest that it has seen, so a holder that was
/// paused beyond its deadline does no harm.
/// </summary>
internal sealed class FencedFile
{
    private readonly Lock _lock = new();
    private ulong _largestToken;

    /// <summary>Writes, if no later holder has written.</summary>
    public bool TryWrite(ulong token, Action write)
    {
        lock (_lock)
        {
            if (token < _largestToken) return false;
            _largestToken = token;
            write();
            return true;
        }
    }
}
