using System.Runtime.CompilerServices;
using Varve.Epochs;
using Varve.Runtime;
using Varve.Versions;

namespace Varve.Reading;

/// <summary>
/// The contexts of the views of an engine, by thread. Each thread takes its own, so that nothing is locked once it has
/// one. Those of a dead thread pass on with its number; a view that it left open keeps its context for good, and with
/// it its version.
/// </summary>
internal sealed class ViewPool(ReadSessions sessions, HoldList holds, ViewClock clock)
{
    private const int ThreadsAtFirst = 16;

    private readonly Lock _gate = new();
    private ViewContext?[] _contexts = new ViewContext?[ThreadsAtFirst];

    /// <summary>A context of the calling thread, which holds the pin, that no view uses.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ViewContext Free(EpochTable.Slot slot)
    {
        var all = _contexts;
        return (uint)slot.Ordinal < (uint)all.Length && all[slot.Ordinal] is { IsOpen: false } context
            ? context
            : FreeAmongMore(slot);
    }

    /// <summary>
    /// How many views are open, how long the oldest has been, and the bytes of its memtables and tables that the
    /// current version has no more.
    /// </summary>
    public (int Open, TimeSpan OldestAge, long OldestBytes) Describe(DbVersion current)
    {
        var (open, oldestAge, oldest) = (0, TimeSpan.Zero, current);
        foreach (var hold in holds.All)
        {
            if (hold is not ViewContext { Held: DbVersion version } context) continue;
            open++;
            var age = clock.Since(context.OpenedAt);
            if (open > 1 && age <= oldestAge) continue;
            (oldestAge, oldest) = (age, version);
        }

        return (open, oldestAge, oldest == current ? 0 : oldest.BytesBeside(current));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ViewContext FreeAmongMore(EpochTable.Slot slot)
    {
        var context = First(slot);
        while (context.IsOpen)
        {
            if (context.Next is null) context.Append(New());
            context = context.Next!;
        }

        return context;
    }

    private ViewContext First(EpochTable.Slot slot)
    {
        lock (_gate)
        {
            var all = _contexts;
            if (slot.Ordinal >= all.Length)
            {
                all = new ViewContext?[Math.Max(slot.Ordinal + 1, all.Length * 2)];
                _contexts.CopyTo(all, 0);
            }

            var context = all[slot.Ordinal] ??= New();
            Volatile.Write(ref _contexts, all);
            return context;
        }
    }

    private ViewContext New()
    {
        var context = new ViewContext(sessions);
        holds.Add(context);
        return context;
    }
}
