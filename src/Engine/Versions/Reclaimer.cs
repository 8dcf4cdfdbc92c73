using Varve.Epochs;

namespace Varve.Versions;

/// <summary>
/// Holds what was retired until no pin can see it, and no view holds it, then lets it go. Retiring is cheap and may be done on any thread;
/// <see cref="Collect"/> is for the background thread, and for close.
/// </summary>
internal sealed class Reclaimer(EpochTable pins)
{
    // Stamps ascend in the queue: each is drawn under the lock that enqueues it.
    private readonly Queue<(long Stamp, object Release)> retired = new();
    private readonly List<DbVersion> held = []; // no pin can see them; each waits for the views that hold it, and holds up nothing else
    private readonly Lock gate = new();
    private IDisposable? last;

    /// <summary>Those who hold a version for longer than a pin.</summary>
    public VersionHolds Holds { get; } = new();

    /// <summary>How many retired resources still wait for pins, or for a collection. Pins end by themselves, and nobody is told.</summary>
    public int Pending
    {
        get
        {
            lock (gate) return retired.Count;
        }
    }

    /// <summary>How many retired versions wait for views, whose end is told.</summary>
    public int Held
    {
        get
        {
            lock (gate) return held.Count;
        }
    }

    /// <summary>Whether anything waits, for pins or for views.</summary>
    public bool IsAnythingLeft
    {
        get
        {
            lock (gate) return retired.Count + held.Count > 0;
        }
    }

    /// <summary>Takes the memory to retire so many more: for who retires under the engine's gate, where every retiring is done.</summary>
    public void Reserve(int count)
    {
        lock (gate) retired.EnsureCapacity(retired.Count + count);
    }

    /// <summary>Disposes a resource later, once nothing can see it. Call it after new readers can no longer reach the resource.</summary>
    public void Retire(IDisposable resource) => Enqueue(resource);

    /// <summary>Runs an action later, under the same rule.</summary>
    public void Retire(Action release) => Enqueue(release);

    /// <summary>Releases a version later, under the same rule, and once no view holds it.</summary>
    public void Retire(DbVersion version) => Enqueue(version);

    /// <summary>Disposes a resource once nothing that was retired is left, for pins or for views. One resource, after which nothing is retired any more.</summary>
    public void RetireLast(IDisposable resource)
    {
        lock (gate) last = resource;
    }

    /// <summary>
    /// Releases all that is safe, oldest first, on the calling thread, and answers how many. A release that fails does not
    /// hold up the others; the failures are thrown together at the end.
    /// </summary>
    /// <exception cref="AggregateException">One or more releases failed; each has been attempted once and is not tried again.</exception>
    public int Collect()
    {
        var released = 0;
        List<Exception>? failures = null;
        if (Pending > 0)
        {
            var safeBelow = pins.SafeBelow();
            while (TryTake(safeBelow, out var release)) Release(release);
        }

        while (TryTakeHeld() is { } version) Release(version);
        if (TakeLast() is { } final) Release(final);
        return failures is null ? released : throw new AggregateException("Releasing retired resources failed.", failures);

        void Release(object release)
        {
            released++;
            try
            {
                if (release is DbVersion version) version.Release();
                else if (release is Action action) action();
                else ((IDisposable)release).Dispose();
            }
#pragma warning disable CA1031 // Whatever one release throws, the others still have to run; all of it is rethrown below.
            catch (Exception e)
#pragma warning restore CA1031
            {
                (failures ??= []).Add(e);
            }
        }
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
            while (retired.TryPeek(out var oldest) && oldest.Stamp < safeBelow)
            {
                retired.Dequeue();
                release = oldest.Release;
                if (release is not DbVersion version || !Holds.Hold(version)) return true;
                held.Add(version);
            }
        }

        release = null!;
        return false;
    }

    private DbVersion? TryTakeHeld()
    {
        lock (gate)
        {
            for (var i = 0; i < held.Count; i++)
            {
                var version = held[i];
                if (Holds.Hold(version)) continue;
                held.RemoveAt(i);
                return version;
            }
        }

        return null;
    }

    private IDisposable? TakeLast()
    {
        lock (gate)
        {
            if (last is null || retired.Count + held.Count > 0) return null;
            var taken = last;
            last = null;
            return taken;
        }
    }
}
