using Varve.Format;
using Varve.Memory;

namespace Varve.Wal;

/// <summary>
/// The append side of the log. The caller holds the gate for every member but <see cref="SyncCaptured"/>. A record is
/// complete once its header's checksum is in place, which is stored last. Only then is it indexed (I2) or
/// acknowledged (I3).
/// <para>
/// A record is stored through the mapping, which costs no system call. If every record is synced, that would cost a
/// page fault for each of its pages, because a sync write-protects the pages that it wrote: so a record of usual size
/// is built in a buffer and written by one call (docs/decisions/0013-one-write-per-durable-record.md).
/// </para>
/// </summary>
internal sealed class WalWriter
{
    private const int BesideMax = 1 << 20;
    private const int TerminatorSize = 2 * sizeof(long);

    private readonly List<WalSegment> _unsynced = [];
    private readonly NativeBuffer _beside = new();
    private readonly bool _isSynced;
    private bool _isBeside;
    private LogMark _mark;

    /// <param name="active">The segment that takes records.</param>
    /// <param name="position">The log's position after its last record.</param>
    /// <param name="mark">The mark of the outer log at that position.</param>
    /// <param name="synced">Everything before this is known to be durable.</param>
    /// <param name="isSynced">Every record will be synced.</param>
    /// <param name="ended">Segments before the active one that may not be durable.</param>
    public WalWriter(
        WalSegment active, LogPosition position, in LogMark mark, LogOffset synced, bool isSynced,
        IEnumerable<WalSegment>? ended = null)
    {
        _isSynced = isSynced;
        if (ended is not null) _unsynced.AddRange(ended);
        Active = active;
        Position = position;
        _mark = mark;
        Synced = synced;
    }

    /// <summary>The segment that takes records.</summary>
    public WalSegment Active { get; private set; }

    /// <summary>The log's position after its last record.</summary>
    public LogPosition Position { get; private set; }

    /// <summary>The mark of the outer log at <see cref="Position"/>.</summary>
    public ref readonly LogMark Mark => ref _mark;

    /// <summary>Everything before this is known to be durable.</summary>
    public LogOffset Synced { get; private set; }

    /// <summary>Bytes appended.</summary>
    public long BytesAppended { get; private set; }

    /// <summary>The number of times that an install or a reset dropped the log.</summary>
    public int Restarts { get; private set; }

    /// <summary>The end of the log.</summary>
    public LogOffset End => Active.LogEnd;

    /// <summary>Bytes of the active segment behind the end of the log.</summary>
    public long FreeBytes => Active.Length - Active.End;

    /// <summary>
    /// Ends the active segment with a sealed record that names <paramref name="next"/>, and continues there. The first
    /// record of <paramref name="next"/> links back to this end, so recovery notices if either is missing. Without room
    /// for it the sealed record is left out; every append reserves <see cref="ClosingBytes"/> for it.
    /// </summary>
    public void Rotate(WalSegment next)
    {
        Span<byte> payload = stackalloc byte[SealedMarker.Size];
        new SealedMarker(next.Number).Write(payload);
        if (FreeBytes >= WalMarker.SizeOf(WalRecordType.Sealed)) AppendMarker(WalRecordType.Sealed, payload, Position);
        _unsynced.Add(Active);
        Link(next, Active, Position, Synced);
        BytesAppended += next.End - WalSegmentHeader.Size;
        Active = next;
    }

    /// <summary>Allocates the memory that <see cref="Rotate"/> needs.</summary>
    public void ReserveRotation() => _unsynced.EnsureCapacity(_unsynced.Count + 1);

    /// <summary>Writes a segment's first record, the segment link.</summary>
    public static void Link(WalSegment next, WalSegment? previous, LogPosition position, LogOffset synced)
    {
        Span<byte> payload = stackalloc byte[SegmentLink.Size];
        (previous is null ? default : previous.LinkToEnd).Write(payload);
        WriteMarker(next, WalRecordType.Link, payload, position, synced);
    }

    /// <summary>
    /// Gives the room in which the caller builds the next record. <see cref="CommitRecord"/> then puts it at the active
    /// segment's end.
    /// </summary>
    public Span<byte> BeginRecord(int lengthMax)
    {
        _isBeside = _isSynced && lengthMax <= BesideMax;
        return _isBeside ? _beside.Reserve(lengthMax + TerminatorSize) : Active.SpanAt(Active.End, lengthMax);
    }

    /// <summary>An operation of the active segment, or of the record that is being built for it.</summary>
    // SAFETY: the segment is mapped while it is active, and the buffer lives as long as this writer. A reference below
    // the log's end names the one, one at or behind it the record that BeginRecord reserved room for in the other.
    public unsafe WalOperationView OperationAt(OperationRef reference) =>
        _isBeside && reference.Offset >= Active.End
            ? new WalOperationView(_beside.Address + (reference.Offset - Active.End))
            : reference.At(Active.Base);

    /// <summary>
    /// Finishes the record whose payload and operations the caller has built. On an error of the file the log is
    /// unchanged.
    /// </summary>
    /// <param name="header">The header, without place and checksum.</param>
    /// <param name="mark">The mark that the record moves to, if its columns have one.</param>
    public void CommitRecord(WalRecordHeader header, in LogMark mark)
    {
        var segment = Active;
        header = header with { Offset = segment.End, SyncedSegment = Synced.Segment, SyncedOffset = Synced.Offset };
        if (_isBeside)
        {
            var record = _beside.Reserve(header.Length + TerminatorSize);
            header.Finish(record, segment.Header.Salt);
            record[header.Length..].Clear();
            segment.Write(segment.End, record[..(int)Math.Min(record.Length, FreeBytes)]);
        }
        else
        {
            segment.Terminate(segment.End + header.Length);
            header.Finish(segment.SpanAt(segment.End, header.Length), segment.Header.Salt);
            segment.Mapping.Dirtied(segment.End, header.Length);
        }

        segment.LastChange = segment.End;
        segment.End += header.Length;
        BytesAppended += header.Length;
        Position = new LogPosition(header.LastIndex, header.Term, header.LogTimeMs, header.LocalTimeMs);
        if ((header.Flags & ColumnFlags.Mark) != 0) _mark = mark;
    }

    /// <summary>
    /// Has the device begin to write the last record, of this length, while the caller has other work before the sync.
    /// </summary>
    public void BeginSync(int length) => Active.BeginSync(Active.End - length, length);

    /// <summary>Appends a record without entries. The caller has reserved its room.</summary>
    public void AppendMarker(WalRecordType type, ReadOnlySpan<byte> payload, LogPosition position)
    {
        if (type == WalRecordType.Clean) Active.LastChange = Active.End;
        BytesAppended += WriteMarker(Active, type, payload, position, Synced);
        Position = position;
    }

    /// <summary>Appends the record that moves the mark alone. The caller has reserved its room.</summary>
    public void AppendMark(in LogMark mark)
    {
        Span<byte> payload = stackalloc byte[MarkMarker.Size];
        MarkMarker.Write(mark, payload);
        AppendMarker(WalRecordType.Mark, payload, Position);
        _mark = mark;
    }

    /// <summary>
    /// Appends the close marker, which records the synced position: damage before it is no torn tail. False, with
    /// nothing done, if the log is not synced to its end, if this writer appended nothing, or without room.
    /// </summary>
    public bool TryAppendCloseMarker()
    {
        if (BytesAppended == 0 || Synced.CompareTo(End) != 0 || FreeBytes < ClosingBytes) return false;
        AppendMarker(WalRecordType.Advance, [], Position);
        return true;
    }

    /// <summary>
    /// Bytes that every append leaves free in its segment: for a <see cref="TryAppendCloseMarker"/>, and a
    /// <see cref="Rotate"/> after it.
    /// </summary>
    public static int ClosingBytes =>
        WalMarker.SizeOf(WalRecordType.Advance) + WalMarker.SizeOf(WalRecordType.Sealed);

    /// <summary>
    /// Captures what a sync has to cover now. One sync at a time uses the caller's list of segments.
    /// </summary>
    public SyncTicket Capture(List<WalSegment> segments)
    {
        segments.Clear();
        segments.AddRange(_unsynced);
        segments.Add(Active);
        return new SyncTicket(
            segments, _isSynced, Synced, End, Position, _mark, Restarts);
    }

    /// <summary>Syncs what a ticket covers, outside the gate. A failure is final for the engine (I3).</summary>
    public static void SyncCaptured(SyncTicket ticket)
    {
        foreach (var segment in ticket.Segments)
        {
            if (ticket.IsWhole)
            {
                segment.Sync();
                continue;
            }

            // Segments that ended do not grow any more; the active one may.
            var from = segment.Number == ticket.Synced.Segment ? ticket.Synced.Offset : 0;
            var end = segment.Number == ticket.End.Segment ? ticket.End.Offset : segment.End;
            segment.Sync(from, Math.Min(end + TerminatorSize, segment.Length));
        }
    }

    /// <summary>Records that a ticket is durable.</summary>
    public void Complete(SyncTicket ticket)
    {
        if (ticket.End > Synced) Synced = ticket.End;
        // The last one may have grown since, and ended: only those before it are covered whole.
        for (var i = 0; i < ticket.Segments.Count - 1; i++) _unsynced.Remove(ticket.Segments[i]);
    }

    /// <summary>
    /// Takes a segment off the list of unsynced ones: its tables and their manifest record are synced (I5).
    /// </summary>
    public void Drop(WalSegment segment) => _unsynced.Remove(segment);

    /// <summary>
    /// Starts the log anew in <paramref name="next"/> at another position, for an install or a reset.
    /// </summary>
    public void Restart(WalSegment next, LogPosition position, in LogMark mark)
    {
        _unsynced.Clear();
        Restarts++;
        Link(next, null, position, Synced);
        BytesAppended += next.End - WalSegmentHeader.Size;
        Active = next;
        Position = position;
        _mark = mark;
    }

    private static int WriteMarker(
        WalSegment segment, WalRecordType type, ReadOnlySpan<byte> payload, LogPosition position, LogOffset synced)
    {
        var length = WalRecordHeader.Size + payload.Length;
        segment.Terminate(segment.End + length);
        var record = segment.SpanAt(segment.End, length);
        payload.CopyTo(WalRecordHeader.PayloadOf(record));
        new WalRecordHeader
        {
            Offset = segment.End,
            Length = length,
            SyncedSegment = synced.Segment,
            SyncedOffset = synced.Offset,
            FirstIndex = position.Index,
            LastIndex = position.Index,
            Term = position.Term,
            LogTimeMs = position.LogTimeMs,
            LocalTimeMs = position.LocalTimeMs,
            PayloadLength = payload.Length,
            Type = type,
        }.Finish(record, segment.Header.Salt);
        segment.Mapping.Dirtied(segment.End, length);
        segment.End += length;
        return length;
    }
}
