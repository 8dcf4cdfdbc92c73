namespace Varve.Versions;

/// <summary>
/// Holds what was retired until no pin can see it, then lets it go. Retiring is cheap and may be done on any thread;
/// <see cref="Collect"/> is for the background thread, and for close.
/// </summary>
internal sealed class Reclaimer(PinTable pins)
{
    // Stamps ascend in the queue: each is drawn under the lock that enqueues it.
    private readonly Queue<(long Stamp, object Release)> retired = new();
    private readonly Lock gate = new();

    /// <summary>How many retired resources still wait for readers, or for a collection.</summary>
    public int Pending
    {
        get
        {
            lock (gate) return retired.Count;
        }
    }

    /// <summary>Disposes a resource later, once nothing can see it. Call it after new readers can no longer reach the resource.</summary>
    public void Retire(IDisposable resource) => Enqueue(resource);

    /// <summary>Runs an action later, under the same rule.</summary>
    public void Retire(Action release) => Enqueue(release);

    /// <summary>
    /// Releases all that is safe, oldest first, on the calling thread, and answers how many. A release that fails does not
    /// hold up the others; the failures are thrown together at the end.
    /// </summary>
    /// <exception cref="AggregateException">One or more releases failed; each has been attempted once and is not tried again.</exception>
    public int Collect()
    {
        if (Pending == 0) return 0;
        var safeBelow = pins.SafeBelow();
        var released = 0;
        List<Exception>? failures = null;
        while (TryTake(safeBelow, out var release))
        {
            released++;
            try
            {
                if (release is Action action) action();
                else ((IDisposable)release).Dispose();
            }
#pragma warning disable CA1031 // Whatever one release throws, the others still have to run; all of it is rethrown below.
            catch (Exception e)
#pragma warning restore CA1031
            {
                (failures ??= []).Add(e);
            }
        }

        return failures is null ? released : throw new AggregateException("Releasing retired resources failed.", failures);
    }

    private void Enqueue(object release)
    {
        ArgumentNullException.ThrowIfNull(release);
        lock (gate) retired.Enqueue((pins.Retire(), release));
    }

    private bool TryTake(long safeBelow, out object release)
    {
        lock (gate)
        {
            if (retired.TryPeek(out var oldest) && oldest.Stamp < safeBelow)
            {
                release = oldest.Release;
                retired.Dequeue();
                return true;
            }
        }

        release = null!;
        return false;
    }
}
