namespace Varve.Epochs;

/// <summary>
/// Something that versions share and that is freed when the last of them lets go. Born with one reference. The counts
/// are touched when versions change, never by a read: reads are covered by pins.
/// </summary>
internal abstract class RefCounted
{
    private int _references = 1;

    /// <summary>Takes a reference; false when the last one is already gone.</summary>
    public bool TryAcquire()
    {
        var seen = Volatile.Read(ref _references);
        while (seen > 0)
        {
            var before = Interlocked.CompareExchange(ref _references, seen + 1, seen);
            if (before == seen) return true;
            seen = before;
        }

        return false;
    }

    /// <summary>Takes a reference to something that the caller already holds one of.</summary>
    public void Acquire()
    {
        if (!TryAcquire()) throw new ObjectDisposedException(GetType().Name);
    }

    /// <summary>Gives back a reference; the last release frees.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0) Free();
    }

    protected abstract void Free();
}
