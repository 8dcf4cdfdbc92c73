using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Wal;

namespace Varve.Versions;

/// <summary>
/// The published position: the point that reads are of. One publisher at a time; any number of readers, none of which
/// waits: positions go into a small ring of slots, and a reader retries only if the ring went all the way round while
/// it copied one slot. Every change up to a position is in place before it is published (I1). The mark of the outer log
/// is published with its position; only reads that ask for it copy it.
/// </summary>
internal sealed class AppliedPosition
{
    private const int Slots = 16;
    private const int Stride = 5;
    private readonly ulong[] _ring = new ulong[Slots * Stride];
    private readonly ulong[] _marks = new ulong[Slots * LogMark.WordCount];
    private long _published; // number of the newest slot
    private ulong _index;

    public AppliedPosition(LogPosition position, in LogMark mark) => Publish(position, mark);

    /// <summary>Makes a position visible, with the mark of the outer log at it.</summary>
    public void Publish(LogPosition position, in LogMark mark)
    {
        var newest = _published + 1;
        var slot = SlotOf(newest);
        slot[0] = position.Index;
        slot[1] = position.Term;
        slot[2] = position.LogTimeMs;
        slot[3] = position.LocalTimeMs;
        slot[4] = (ulong)mark.Length;
        if (!mark.IsEmpty)
        {
            var words = MarkOf(newest);
            for (var i = 0; i < words.Length; i++) words[i] = mark[i];
        }

        Volatile.Write(ref _published, newest);
        Volatile.Write(ref _index, position.Index);
    }

    /// <summary>
    /// The index of the latest published position. Enough for reads that touch no lease. Monotonic with
    /// <see cref="Read()"/>.
    /// </summary>
    public ulong Index => Volatile.Read(ref _index);

    /// <summary>
    /// The latest published position, whole. Inlined, so that its parts stay in registers: stored one by one and copied
    /// as a vector, they would have to reach the cache first, and the copy would wait for all that the thread loads
    /// before.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public LogPosition Read() => ReadSlot(out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private LogPosition ReadSlot(out long number)
    {
        while (true)
        {
            number = Volatile.Read(ref _published);
            // Index does not show this slot yet, and a later read of Index must not be older than this one: take the
            // slot before.
            if (Volatile.Read(ref _index) < Volatile.Read(ref SlotOf(number)[0])) number--;
            var slot = SlotOf(number);
            var (index, term, logTime, localTime) = (
                Volatile.Read(ref slot[0]), Volatile.Read(ref slot[1]), Volatile.Read(ref slot[2]),
                Volatile.Read(ref slot[3]));
            if (Volatile.Read(ref _published) - number < Slots - 1)
                return new LogPosition(index, term, logTime, localTime);
        }
    }

    /// <summary>The latest published position and the mark at it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public LogPosition Read(out LogMark mark)
    {
        while (true)
        {
            var position = ReadSlot(out var number);
            var length = Volatile.Read(ref SlotOf(number)[4]);
            mark = length == 0 ? default : CopyMark(number, (int)Math.Min(length, LogMark.LengthMax));
            if (Volatile.Read(ref _published) - number < Slots - 1) return position;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private LogMark CopyMark(long number, int length)
    {
        Span<ulong> words = stackalloc ulong[LogMark.WordCount];
        var source = MarkOf(number);
        for (var i = 0; i < words.Length; i++) words[i] = Volatile.Read(ref source[i]);
        return LogMark.OfWords(length, words);
    }

    private Span<ulong> MarkOf(long number) =>
        _marks.AsSpan((int)(number & (Slots - 1)) * LogMark.WordCount, LogMark.WordCount);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Span<ulong> SlotOf(long number) => _ring.AsSpan((int)(number & (Slots - 1)) * Stride, Stride);
}
