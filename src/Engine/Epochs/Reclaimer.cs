namespace Varve.Epochs;

/// <summary>
/// Keeps retired resources until no pin can see them and no hold names them, then frees them.
/// <para>
/// The problem: a switch of versions happens under the gate, while readers may use the old version. Its last reference
/// must be released later, by a thread that holds no lock: freeing recycles segments, and that waits for a sync.
/// </para>
/// <list type="number">
/// <item>A resource is retired after it became unreachable for new readers; its stamp is drawn under the lock that
/// enqueues it, so stamps ascend in the queue.</item>
/// <item>A resource is freed only once <see cref="EpochTable.SafeBelow"/> is above its stamp (I8).</item>
/// <item>A resource counted by references also waits for the holds that name it, apart from the queue: an open view
/// keeps its version and nothing else (I8).</item>
/// <item>Each resource is freed once. A failure does not keep the others from being freed.</item>
/// </list>
/// <para>
/// The obvious design frees at the switch if no reader is pinned. It frees under the gate, and at full load there is
/// always a reader.
/// </para>
/// <para>Threads: any retires, also under the gate. <see cref="FreeRetired"/> is called without the gate, the manifest
/// or the sync lock.</para>
/// </summary>
internal sealed class Reclaimer(EpochTable pins)
{
    // Stamps ascend in the queue: each is drawn under the lock that enqueues it.
    private readonly Queue<(long Stamp, object Release)> _retired = new();
    // No pin can see them; each waits for the views that hold it, and holds up nothing else.
    private readonly List<RefCounted> _held = [];
    private readonly RankedLock _gate = new(LockOrder.Retired);
    private IDisposable? _last;

    /// <summary>The holds that keep a resource for longer than a pin.</summary>
    public HoldList Holds { get; } = new();

    /// <summary>
    /// The number of retired resources that wait for pins, or for a collection. No event announces the end of a pin.
    /// </summary>
    public int Pending
    {
        get
        {
            using (_gate.Enter()) return _retired.Count;
        }
    }

    /// <summary>The number of retired resources that wait for holds. The end of a view wakes the collector.</summary>
    public int Held
    {
        get
        {
            using (_gate.Enter()) return _held.Count;
        }
    }

    /// <summary>True if a retired resource waits, for pins or for views.</summary>
    public bool IsAnythingLeft
    {
        get
        {
            using (_gate.Enter()) return _retired.Count + _held.Count > 0;
        }
    }

    /// <summary>
    /// Allocates the memory to retire a number of resources more, so that a later <see cref="Retire(RefCounted)"/>
    /// under the gate cannot fail.
    /// </summary>
    public void Reserve(int count)
    {
        using (_gate.Enter()) _retired.EnsureCapacity(_retired.Count + count);
    }

    /// <summary>
    /// Disposes a resource later, once nothing can see it. Call it after new readers can no longer reach the resource.
    /// </summary>
    public void Retire(IDisposable resource) => Enqueue(resource);

    /// <summary>Runs an action later, under the same rule.</summary>
    public void Retire(Action release) => Enqueue(release);

    /// <summary>Gives back a reference later, under the same rule, and once no hold names the resource.</summary>
    public void Retire(RefCounted resource) => Enqueue(resource);

    /// <summary>
    /// Disposes a resource once nothing that was retired is left, for pins or for views. One resource, after which
    /// nothing is retired any more.
    /// </summary>
    public void RetireLast(IDisposable resource)
    {
        using (_gate.Enter()) _last = resource;
    }

    /// <summary>
    /// Releases all that is safe, oldest first, on the calling thread, and answers how many. A release that fails does
    /// not hold up the others; the failures are thrown together at the end.
    /// </summary>
    /// <exception cref="AggregateException">One or more releases failed; each has been attempted once and is not tried
    /// again.</exception>
    public int FreeRetired()
    {
        var released = 0;
        List<Exception>? failures = null;
        if (Pending > 0)
        {
            var safeBelow = pins.SafeBelow();
            while (TryTake(safeBelow, out var release)) Release(release);
        }

        while (TryTakeHeld() is { } resource) Release(resource);
        if (TakeLast() is { } final) Release(final);
        return failures is null
            ? released
            : throw new AggregateException("Releasing retired resources failed.", failures);

        void Release(object release)
        {
            released++;
            try
            {
                if (release is RefCounted resource) resource.Release();
                else if (release is Action action) action();
                else ((IDisposable)release).Dispose();
            }
            // Whatever one release throws, the others still have to run; all of it is rethrown below.
#pragma warning disable CA1031
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
        using (_gate.Enter()) _retired.Enqueue((pins.Retire(), release));
    }

    private bool TryTake(long safeBelow, out object release)
    {
        using (_gate.Enter())
        {
            while (_retired.TryPeek(out var oldest) && oldest.Stamp < safeBelow)
            {
                _retired.Dequeue();
                release = oldest.Release;
                if (release is not RefCounted resource || !Holds.Name(resource)) return true;
                _held.Add(resource);
            }
        }

        release = null!;
        return false;
    }

    private RefCounted? TryTakeHeld()
    {
        using (_gate.Enter())
        {
            for (var i = 0; i < _held.Count; i++)
            {
                var resource = _held[i];
                if (Holds.Name(resource)) continue;
                _held.RemoveAt(i);
                return resource;
            }
        }

        return null;
    }

    private IDisposable? TakeLast()
    {
        using (_gate.Enter())
        {
            if (_last is null || _retired.Count + _held.Count > 0) return null;
            var taken = _last;
            _last = null;
            return taken;
        }
    }
}
