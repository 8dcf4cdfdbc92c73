using Varve.Wal;

namespace Varve.Versions;

/// <summary>
/// The published position: what readers see. One publisher at a time, any number of readers, none of whom waits: positions go
/// into a small ring of slots, and a reader only retries when the ring went all the way round while it copied one slot.
/// Everything that belongs to a position is in place before it is published (invariant I1).
/// </summary>
internal sealed class AppliedCell
{
    private const int Slots = 16;
    private const int Stride = 4;
    private readonly ulong[] _ring = new ulong[Slots * Stride];
    private long _head;
    private ulong _index;

    public AppliedCell(LogPosition position) => Publish(position);

    /// <summary>Makes a position visible.</summary>
    public void Publish(LogPosition position)
    {
        var head = _head + 1;
        var slot = _ring.AsSpan((int)(head & (Slots - 1)) * Stride, Stride);
        slot[0] = position.Index;
        slot[1] = position.Term;
        slot[2] = position.LogTimeMs;
        slot[3] = position.LocalTimeMs;
        Volatile.Write(ref _head, head);
        Volatile.Write(ref _index, position.Index);
    }

    /// <summary>The index of the latest published position: all that a read needs which meets no lease. It and <see cref="Read"/> never go back behind one another.</summary>
    public ulong Index => Volatile.Read(ref _index);

    /// <summary>The latest published position, whole.</summary>
    public LogPosition Read()
    {
        while (true)
        {
            var number = Volatile.Read(ref _head);
            var position = At(number);
            // Not shown yet by Index, which may not stay behind what is read here: then the one before is the latest.
            if (Volatile.Read(ref _index) < position.Index) position = At(--number);
            if (Volatile.Read(ref _head) - number < Slots - 1) return position;
        }
    }

    private LogPosition At(long number)
    {
        var slot = _ring.AsSpan((int)(number & (Slots - 1)) * Stride, Stride);
        return new LogPosition(Volatile.Read(ref slot[0]), Volatile.Read(ref slot[1]), Volatile.Read(ref slot[2]), Volatile.Read(ref slot[3]));
    }
}
