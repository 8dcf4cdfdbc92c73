using Varve.Epochs;
using Varve.Tests.Schedules.Control;
using Varve.Versions;

namespace Varve.Tests.Schedules.Scenarios;

internal enum PinFrees
{
    /// <summary>The swapping thread checks the pins.</summary>
    Directly,

    /// <summary>The swapping thread retires to the reclaimer, and frees.</summary>
    ByReclaimer,

    /// <summary>One thread swaps and retires, another collects.</summary>
    ByAnother,
}

/// <summary>
/// A shared pointer is swapped and its old target is freed once safe, while a reader pins, follows and uses it. The
/// stores of the pins may wait in the reader's store buffer, which the asymmetric fence is for.
/// </summary>
internal sealed class PinScenario(PinFrees frees) : Scenario
{
    private const int Operations = 4;
    private const int SlotBytes = 128;

    private readonly EpochTable _pins = new();
    private readonly List<Thing> _things = [];
    private Reclaimer _reclaimer = null!;
    private Thing _current = null!;

    public override void Prepare(Scheduler scheduler)
    {
        _reclaimer = new Reclaimer(_pins);
        _current = Make();
        Threads = frees switch
        {
            PinFrees.Directly => [Read, SwapAndFree],
            PinFrees.ByReclaimer => [Read, SwapAndCollect],
            _ => [Read, SwapAndRetire, Collect],
        };
        MakeSlots();
        foreach (var slot in (System.Collections.IEnumerable)SlotsOf(_pins))
            if (slot is not null) scheduler.BufferStoresTo(slot, SlotBytes);
    }

    public override void Finish(Scheduler scheduler)
    {
        while (_reclaimer.Pending > 0)
            Expect(_reclaimer.FreeRetired() > 0, "nothing is pinned, and yet something is not safe");
        Expect(_things.All(thing => thing == _current || thing.IsFreed), "something was never freed");
    }

    /// <summary>
    /// The readers' slots exist, so that only what every pin does is explored, and each slot's place is known.
    /// </summary>
    private void MakeSlots()
    {
        // A slot is made on the thread's first pin; the reader is the calling thread.
        _pins.Enter();
        _pins.Exit();
    }

    private void Read()
    {
        for (var i = 0; i < Operations; i++)
        {
            _pins.Enter();
            var thing = Volatile.Read(ref _current);
            Expect(!thing.IsFreed, "freed before a pinned reader got there");
            Controlled.Current!.Point("uses it", "", 0);
            Expect(!thing.IsFreed, "freed under a pin");
            _pins.Exit();
        }
    }

    private void SwapAndFree()
    {
        var waiting = new Queue<(long Stamp, Thing Thing)>();
        for (var i = 0; i < Operations; i++)
        {
            waiting.Enqueue((Swap(out var old), old));
            while (waiting.TryPeek(out var oldest) && _pins.IsSafe(oldest.Stamp)) waiting.Dequeue().Thing.Dispose();
        }

        foreach (var (_, thing) in waiting) _reclaimer.Retire(thing);

        long Swap(out Thing old)
        {
            old = _current;
            Volatile.Write(ref _current, Make());
            return _pins.Retire();
        }
    }

    private void SwapAndCollect()
    {
        for (var i = 0; i < Operations; i++)
        {
            Retire();
            _reclaimer.FreeRetired();
        }
    }

    private void SwapAndRetire()
    {
        for (var i = 0; i < Operations; i++) Retire();
    }

    private void Collect()
    {
        for (var i = 0; i < Operations / 2; i++) _reclaimer.FreeRetired();
    }

    private void Retire()
    {
        var old = _current;
        Volatile.Write(ref _current, Make());
        _reclaimer.Retire(old);
    }

    private Thing Make()
    {
        var thing = new Thing();
        _things.Add(thing);
        return thing;
    }

    private static readonly System.Reflection.FieldInfo SlotsField =
        typeof(EpochTable).GetField(
            "_slots", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!;

    private static object SlotsOf(EpochTable pins) => SlotsField.GetValue(pins)!;

    private sealed class Thing : IDisposable
    {
        public bool IsFreed { get; private set; }

        public void Dispose() => IsFreed = true;
    }
}
