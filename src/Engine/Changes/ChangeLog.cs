using Varve.Contract;
using Varve.Format;
using Varve.Reading;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Changes;

/// <summary>
/// The changes in the log: in the segments of the memtables, present and past.
/// <para>
/// The problem: memtables are flushed and their segments recycled while readers walk them at any pace. A reader must
/// miss nothing, repeat nothing, see nothing unpublished, and keep nothing alive while it does not read.
/// </para>
/// <list type="number">
/// <item>A reader keeps a place (<see cref="ChangeCursor"/>), not an object. Each step finds the segment of the place
/// again, under a pin that ends with the step, and reads a bounded number of bytes (I8).</item>
/// <item>A step reads up to the published end of the log (<see cref="VisibleLog"/>), which moves after the position
/// (I1), and under <c>Power</c> after the sync (I3).</item>
/// <item>A record that is dropped is first noted as lost (<see cref="History.Lost"/>). A reader looks for its segment
/// first and at that note then: what it finds neither in the version nor in the history is in the note.</item>
/// <item>A reader whose place is behind the last lost record has read all that is lost, so a flush of the segment at
/// whose end it waits is no loss.</item>
/// <item>A replaced state continues the old one's line unless the index went back
/// (<see cref="StateGeneration.Line"/>).</item>
/// </list>
/// <para>
/// The obvious design keeps the segments that a reader has not read. A reader that stopped would fill memory and disk.
/// </para>
/// <para>Threads: any.</para>
/// </summary>
internal sealed class ChangeLog(EngineContext engine, VersionSet versions, ReadSessions sessions, History history)
{
    /// <summary>Bytes of the log that one step reads at most, after the first record.</summary>
    private const long BytesAStep = 1 << 20;

    /// <summary>The published end of the log.</summary>
    public LogOffset End => versions.Current.Generation.Log.End;

    /// <summary>The last applied index.</summary>
    public ulong Applied => versions.Current.Applied.Index;

    /// <summary>The place before the first change from an index on.</summary>
    /// <exception cref="ChangesLostException">The log no longer has that index.</exception>
    public ChangeCursor Begin(ulong from)
    {
        var slot = sessions.Enter();
        try
        {
            engine.State.EnsureReadable();
            var version = versions.Current;
            var generation = version.Generation;
            var end = generation.Log.End; // before the index: nothing up to this end is above it
            var applied = generation.Applied.Index;
            if (applied < from) return new ChangeCursor(generation.Line, end, 0, applied);
            var first = version.Memtables[0].Segment;
            foreach (var memtable in version.Memtables)
                if (memtable.Last is { } last && last.Index >= from) first = memtable.Segment;
            if (history.FindSegmentFrom(from) is { } past && past.Number < first.Number) first = past;
            var lost = history.Lost;
            if (from <= lost.Index) throw new ChangesLostException(lost.Index + 1);
            return new ChangeCursor(generation.Line, new LogOffset(first.Number, WalSegmentHeader.Size), 0, from - 1);
        }
        finally
        {
            sessions.Leave(slot);
        }
    }

    /// <summary>
    /// One step: passes changes from an index on to a sink, and moves the place past them.
    /// </summary>
    /// <param name="cursor">The place; valid, and exact, also after an exception.</param>
    /// <param name="from">The first index that counts.</param>
    /// <param name="limit">The end of what is read, if it is before the published one.</param>
    /// <param name="sink">Takes the changes.</param>
    /// <returns>True if nothing is left that is published and before the limit.</returns>
    /// <exception cref="ChangesLostException">The log no longer has a change that counts.</exception>
    public bool Step<TSink>(ref ChangeCursor cursor, ulong from, LogOffset? limit, ref TSink sink)
        where TSink : struct, IChangeSink
    {
        var slot = sessions.Enter();
        try
        {
            engine.State.EnsureReadable();
            var version = versions.Current;
            if (version.Generation.Line != cursor.Line) throw new ChangesLostException(history.Lost.Index + 1);
            var end = version.Generation.Log.End;
            if (limit is { } least && least < end) end = least;
            var segment = Find(version, cursor.At, from);
            if (segment.Number != cursor.At.Segment || cursor.At.Offset == 0)
                cursor = cursor with { At = new LogOffset(segment.Number, WalSegmentHeader.Size), Skip = 0 };
            return StepInSegment(segment, end, ref cursor, from, ref sink);
        }
        finally
        {
            sessions.Leave(slot);
        }
    }

    private static bool StepInSegment<TSink>(
        WalSegment segment, LogOffset end, ref ChangeCursor cursor, ulong from, ref TSink sink)
        where TSink : struct, IChangeSink
    {
        var (begin, last) = (cursor.At.Offset, VisibleLog.EndIn(segment, end));
        var records = segment.Records(begin);
        while (records.Next < last)
        {
            if (records.Next - begin >= BytesAStep) return false;
            var at = records.Next;
            if (!records.MoveNextVerified())
                throw CorruptionException.Of(segment.Path, at, CorruptionKind.Record, "record is missing from the log");
            ref readonly var record = ref records.Current;
            if (!RecordChanges.Pass(segment, record, from, ref cursor, ref sink)) return false;
            cursor = cursor with
            {
                At = new LogOffset(segment.Number, records.Next),
                Skip = 0,
                Reached = record.Header.LastIndex,
            };
        }

        if (segment.Number >= end.Segment) return true;
        cursor = cursor with { At = new LogOffset(segment.Number + 1, 0), Skip = 0 };
        return false;
    }

    /// <summary>The segment of a place, or the first one after it if nothing that counts is lost between.</summary>
    private WalSegment Find(DbVersion version, LogOffset at, ulong from)
    {
        var found = version.Memtables[0].Segment;
        foreach (var memtable in version.Memtables)
            if (memtable.Segment.Number >= at.Segment) found = memtable.Segment;
        if (found.Number == at.Segment) return found;
        if (history.FindSegment(at.Segment) is { } past && past.Number < found.Number) found = past;
        if (found.Number == at.Segment) return found;
        var lost = history.Lost;
        if (!(at > lost.Last) && from <= lost.Index) throw new ChangesLostException(lost.Index + 1);
        return found;
    }
}
