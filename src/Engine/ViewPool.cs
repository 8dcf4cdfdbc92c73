using System.Runtime.CompilerServices;
using Varve.Versions;

namespace Varve;

/// <summary>
/// The contexts of the views of an engine, by thread. Each thread takes its own, so that nothing is locked once it has one. Those of
/// a dead thread pass on with its number; a view that it left open keeps its context for good, as it keeps its pin.
/// </summary>
internal sealed class ViewPool(LsmStateMachine engine)
{
    private const int ThreadsAtFirst = 16;

    private readonly Lock _gate = new();
    private ViewContext?[] _contexts = new ViewContext?[ThreadsAtFirst];

    /// <summary>A context of the calling thread, which holds the pin, that no view uses.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ViewContext Free(PinTable.Slot slot)
    {
        var all = _contexts;
        return (uint)slot.Ordinal < (uint)all.Length && all[slot.Ordinal] is { IsOpen: false } context ? context : FreeAmongMore(slot);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ViewContext FreeAmongMore(PinTable.Slot slot)
    {
        var context = First(slot);
        while (context.IsOpen) context = context.Next;
        return context;
    }

    private ViewContext First(PinTable.Slot slot)
    {
        lock (_gate)
        {
            var all = _contexts;
            if (slot.Ordinal >= all.Length)
            {
                all = new ViewContext?[Math.Max(slot.Ordinal + 1, all.Length * 2)];
                _contexts.CopyTo(all, 0);
            }

            var context = all[slot.Ordinal] ??= new ViewContext(engine, slot);
            Volatile.Write(ref _contexts, all);
            return context;
        }
    }
}
