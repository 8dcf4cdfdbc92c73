using Varve.Contract;
using Varve.Epochs;
using Varve.Format;
using Varve.Memtables;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Recovery;

/// <summary>
/// Rebuilds memtables from the log. Replay decides nothing: records carry effects and outcomes, so no compare-and-swap
/// is compared and no deadline is computed again.
/// </summary>
internal sealed class WalReplayer
{
    private readonly StateGeneration _generation;
    private readonly IndexPool _indexes;
    private readonly SegmentPool? _segments;
    private readonly List<(LogOffset End, LogId Id)> _ends = [];
    private LogId _durable;

    /// <param name="generation">Takes terms and outcomes; it begins with the state.</param>
    /// <param name="state">The state before the log's first record.</param>
    /// <param name="indexes">Has the memory of the memtables' indexes.</param>
    /// <param name="segments">Takes the segments back once an engine has flushed them; null for an inspection.</param>
    public WalReplayer(
        StateGeneration generation, MachineState state, IndexPool indexes, SegmentPool? segments = null)
    {
        _generation = generation;
        (_indexes, _segments) = (indexes, segments);
        _durable = new LogId(state.LastIndex, state.LastTerm);
        Position = new LogPosition(state.LastIndex, state.LastTerm, state.LogTimeMs, state.LocalTimeMs);
        Mark = state.Mark;
        CleanedTimeMs = generation.CleanedTimeMs;
        Snapshot = generation.Snapshots.Last;
    }

    /// <summary>The memtables, oldest first; all but the last are sealed.</summary>
    public List<Memtable> Memtables { get; } = [];

    /// <summary>The position after the last replayed record.</summary>
    public LogPosition Position { get; private set; }

    /// <summary>The mark of the outer log at that position.</summary>
    public LogMark Mark { get; private set; }

    /// <summary>The largest deadline that a clean-up has reported, Unix milliseconds.</summary>
    public ulong CleanedTimeMs { get; private set; }

    /// <summary>The last snapshot that was created or installed.</summary>
    public SnapshotMetadata? Snapshot { get; private set; }

    /// <summary>The number of replayed entries.</summary>
    public long Entries { get; private set; }

    /// <summary>
    /// The least local time: the logged time and, if leases go by local time, the reported deadlines. Unix
    /// milliseconds.
    /// </summary>
    public ulong LocalTimeMinMs(LeaseClock clock) =>
        Math.Max(Position.LocalTimeMs, clock == LeaseClock.Local ? CleanedTimeMs : 0);

    /// <summary>
    /// Gives the generation the clean-ups and snapshots that the log records.
    /// </summary>
    public void UpdateGenerationGateHeld()
    {
        LockOrder.Gate.AssertHeld();
        _generation.Snapshots.RestartGateHeld(Snapshot);
        _generation.CleanedTimeMs = CleanedTimeMs;
    }

    /// <summary>Indexes a segment's records into a new memtable; seals the one before it.</summary>
    /// <param name="segment">The next of the chain, its end set.</param>
    /// <param name="report">Receives damage behind a valid checksum, and replay continues with the next record; null:
    /// the damage is thrown.</param>
    public Memtable Replay(WalSegment segment, Action<VarveException>? report = null)
    {
        if (Memtables.Count > 0) Memtables[^1].Seal(Position, Mark);
        var memtable = new Memtable(segment, _indexes, _segments);
        try
        {
            Replay(segment, memtable, report);
        }
        catch
        {
            memtable.ReleaseTo(static _ => { }); // the segment stays the caller's
            throw;
        }

        Memtables.Add(memtable);
        return memtable;
    }

    private void Replay(WalSegment segment, Memtable memtable, Action<VarveException>? report)
    {
        using var build = new IndexBuild(memtable.Index, _generation.MemtableHasher);
        var records = segment.Records();
        while (records.Next < segment.End)
        {
            if (!records.MoveNext()) throw Refused(segment, records.Next, records.Error);
            ref readonly var record = ref records.Current;
            try
            {
                var isChunk = Apply(segment, record);
                if (record.Header.Type == WalRecordType.Clean)
                    memtable.NoteCleanUp(record.Header.LastIndex, CleanedTimeMs);
                if (isChunk) IndexOperations(build, memtable.Index, segment, record, atOnce: report is not null);
            }
            catch (VarveException damage)
                when (report is not null && damage is CorruptionException or UnsupportedFormatException)
            {
                report(damage);
            }

            _ends.Add((new LogOffset(segment.Number, records.Next), Position.Id));
        }

        Enter(build, segment);
        build.Finish();
    }

    /// <summary>
    /// Applies a valid record to position, terms, outcomes and clean-ups; true if it has operations too.
    /// </summary>
    /// <exception cref="CorruptionException">The record does not follow the one before it, or its columns are
    /// damaged.</exception>
    public bool Apply(WalSegment segment, in WalRecordView record)
    {
        ref readonly var header = ref record.Header;
        if (header.LastIndex < Position.Index || header.Term < Position.Term)
            throw Refused(
                segment, header.Offset,
                new DecodeError(WalRecordHeader.LastIndexField, "record", "does not follow the one before it"));
        var isChunk = ApplyPayload(segment, record);
        if (header.Type is WalRecordType.Chunk or WalRecordType.Clean) segment.LastChange = header.Offset;
        // A link or a marker carries the position at which it was written, which the record before it has set.
        Position = new LogPosition(
            header.LastIndex, header.Term, Math.Max(Position.LogTimeMs, header.LogTimeMs),
            Math.Max(Position.LocalTimeMs, header.LocalTimeMs));
        return isChunk;
    }

    /// <summary>
    /// Indexes the records that a writer has added to the last segment, up to an offset. Readers may read the memtable
    /// meanwhile, up to the published index (I1).
    /// </summary>
    public void Extend(Memtable memtable, long end)
    {
        var segment = memtable.Segment;
        var records = segment.Records(segment.End);
        while (records.Next < end)
        {
            if (!records.MoveNext()) throw Refused(segment, records.Next, records.Error);
            ref readonly var record = ref records.Current;
            if (Apply(segment, record)) InsertOperations(memtable.Index, segment, record);
            if (record.Header.Type == WalRecordType.Clean)
                memtable.NoteCleanUp(record.Header.LastIndex, CleanedTimeMs);
            segment.End = records.Next;
            _ends.Add((segment.LogEnd, Position.Id));
        }
    }

    /// <summary>
    /// Raises the last entry known to be durable, and drops the ends of records up to it.
    /// </summary>
    /// <param name="synced">The offset up to which the log is known to be durable; null: nothing new is known.</param>
    /// <param name="tables">The state of the tables, which is durable.</param>
    /// <returns>The last entry known to be durable.</returns>
    public LogId UpdateDurable(LogOffset? synced, MachineState tables)
    {
        if (tables.LastIndex > _durable.Index) _durable = new LogId(tables.LastIndex, tables.LastTerm);
        if (synced is { } offset)
        {
            foreach (var (end, id) in _ends)
                if (!(end > offset) && id.Index > _durable.Index) _durable = id;
        }

        _ends.RemoveAll(end => end.Id.Index <= _durable.Index);
        return _durable;
    }

    private bool ApplyPayload(WalSegment segment, in WalRecordView record)
    {
        ref readonly var header = ref record.Header;
        DecodeError error;
        switch (header.Type)
        {
            case WalRecordType.Chunk:
                if (header.FirstIndex <= Position.Index)
                    throw Refused(
                        segment, header.Offset,
                        new DecodeError(
                            WalRecordHeader.FirstIndexField, "entries", "do not follow the ones before them"));
                if (!record.TryOpenColumns(out var columns, out error))
                    throw Refused(segment, header.Offset, error);
                while (columns.MoveNext())
                {
                    _generation.Record(new EntryPosition
                    {
                        Index = columns.Index,
                        Term = columns.Term,
                        Succeeded = columns.Succeeded,
                        Refused = columns.Refused
                    });
                    Entries++;
                }

                if (columns.TryGetMark(out var moved)) Mark = moved;
                return true;
            case WalRecordType.Advance:
            case WalRecordType.Link:
                _generation.RecordJump(header.LastIndex, header.Term);
                break;
            case WalRecordType.Clean:
                if (!CleanUpMarker.TryOpen(record.Payload, out var cleanUp, out var fault))
                    throw Refused(segment, header.Offset, fault);
                CleanedTimeMs = Math.Max(CleanedTimeMs, cleanUp.Deadline);
                break;
            case WalRecordType.Snapshot:
                var snapshot = SnapshotMarker.Read(record.Payload);
                if (snapshot.Index > header.LastIndex)
                    throw Refused(
                        segment, header.Offset,
                        new DecodeError(WalRecordHeader.Size, "snapshot", "is above the applied entry"));
                Snapshot = new SnapshotMetadata(
                    new LogId(snapshot.Index, snapshot.Term), snapshot.Checksum.ToArray());
                break;
            case WalRecordType.Mark:
                if (!MarkMarker.TryRead(record.Payload, out var mark, out error))
                    throw Refused(segment, header.Offset, error);
                Mark = mark;
                break;
        }

        return false;
    }

    /// <summary>Adds a record's operations to the build; <paramref name="atOnce"/>: and indexes them now.</summary>
    private static void IndexOperations(
        IndexBuild build, MemtableIndex index, WalSegment segment, in WalRecordView record, bool atOnce)
    {
        var operations = record.Operations;
        while (operations.MoveNextOfRecord())
        {
            build.Add(operations.Reference);
            CountLease(index, index.OperationAt(operations.Reference));
        }

        var isDamaged = operations.Error.IsFault;
        if (atOnce || isDamaged) Enter(build, segment);
        if (isDamaged) throw Refused(segment, operations.Offset, operations.Error);
    }

    /// <summary>Indexes a record's operations, in an index that readers read.</summary>
    private void InsertOperations(MemtableIndex index, WalSegment segment, in WalRecordView record)
    {
        var operations = record.Operations;
        while (operations.MoveNextOfRecord())
        {
            var operation = index.OperationAt(operations.Reference);
            var hash = _generation.MemtableHasher.Of(operation.Key);
            if (index.Find(operation.Key, hash) != operation.Prior) throw Unlinked(segment, operations.Offset);
            index.Insert(operations.Reference, hash);
            CountLease(index, operation);
        }

        if (operations.Error.IsFault) throw Refused(segment, operations.Offset, operations.Error);
    }

    /// <summary>
    /// Counts a key once, by its first operation: the link to one before is not checked yet, so it is not followed.
    /// </summary>
    private static void CountLease(MemtableIndex index, in WalOperationView operation)
    {
        if (operation.Kind == RecordKind.LeasedPut && operation.Prior.IsNone)
            index.CountLease(RecordKind.LeasedPut, isPriorLeased: false);
    }

    private static void Enter(IndexBuild build, WalSegment segment)
    {
        if (build.Enter() is { IsNone: false } reference) throw Unlinked(segment, reference.Offset);
    }

    private static VarveException Unlinked(WalSegment segment, long offset) =>
        Refused(
            segment, offset,
            new DecodeError(WalOperation.PriorField, "operation", "does not follow its key's last one"));

    private static VarveException Refused(WalSegment segment, long offset, DecodeError error) =>
        DecodeFailure.Of(segment.Path, offset, CorruptionKind.Record, error);
}
