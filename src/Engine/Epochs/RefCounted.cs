namespace Varve.Epochs;

/// <summary>
/// An object that several versions share, freed with its last reference. It begins with one reference, the creator's.
/// Only changes of versions touch the count; a read has a pin instead.
/// </summary>
internal abstract class RefCounted
{
    private int _references = 1;

    /// <summary>Takes a reference; false if the last one is released already.</summary>
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

    /// <summary>Takes a reference. The caller knows that there is one that lasts during the call.</summary>
    public void Acquire()
    {
        if (!TryAcquire()) throw new ObjectDisposedException(GetType().Name);
    }

    /// <summary>Releases a reference; the last release frees the object.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0) Free();
    }

    protected abstract void Free();
}
