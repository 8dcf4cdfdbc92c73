using System.Runtime.CompilerServices;

namespace Varve.Tests.Schedules.Control;

/// <summary>
/// The stores that a processor has done and the others do not see yet, in order, as x86 allows. Only stores to words
/// that a scenario named (<see cref="Scheduler.BufferStoresTo"/>) wait here, because no plain access to those goes past
/// the instruments.
/// </summary>
internal sealed unsafe class StoreBuffer(Scheduler scheduler)
{
    private readonly Queue<(nint Address, long Value)> _waiting = new();

    public bool IsEmpty => _waiting.Count == 0;

    public bool Buffers(ref long location) => scheduler.IsBuffered((nint)Unsafe.AsPointer(ref location));

    public void Add(ref long location, long value) => _waiting.Enqueue(((nint)Unsafe.AsPointer(ref location), value));

    /// <summary>A value that its own thread reads and no other thread sees yet.</summary>
    public bool TryForward(ref long location, out long value)
    {
        value = 0;
        if (_waiting.Count == 0) return false;
        var found = false;
        var address = (nint)Unsafe.AsPointer(ref location);
        foreach (var (at, stored) in _waiting)
        {
            if (at != address) continue;
            value = stored;
            found = true;
        }

        return found;
    }

    public void Drain()
    {
        while (_waiting.TryDequeue(out var store)) *(long*)store.Address = store.Value;
    }
}
