using System.Buffers;
using CommunityToolkit.HighPerformance.Buffers;
using Varve.Epochs;
using Varve.Format;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// The write path: nothing else appends to the log, be it a chunk or a marker.
/// <para>
/// The problem: a chunk is applied whole or not at all, to a state that readers read meanwhile, with one copy of its
/// bytes and without allocation. Whatever fails, the log, the memtable and the callers must agree on what was applied.
/// </para>
/// <list type="number">
/// <item>Decode (<see cref="ChunkDecoder"/>) and check (<see cref="ChunkValidator"/>) the whole chunk. Duplicates are
/// answered from the outcomes. A refusal changes nothing.</item>
/// <item>Make room in the segment and in the index (<see cref="MemtableRotation"/>), and take all memory that the later
/// steps need. A full disk ends here; at most the log has moved on to another segment.</item>
/// <item>Build the record in the log's own memory (<see cref="RecordBuilder"/>). Replay decides nothing again, so the
/// record has effects and outcomes, not commands.</item>
/// <item>Commit the record: its checksum comes last. Nothing of it is indexed before (I2).</item>
/// <item>Index its operations and publish its position (<see cref="Publisher"/>, I1). From the commit on nothing may
/// fail; a failure is latched, since the log has what the memtable lacks.</item>
/// <item>Outside of the gate, under <see cref="Durability.Power"/>, wait for the sync (<see cref="WalSyncer"/>) before
/// the results are returned (I3). Applies that wait together share one sync.</item>
/// </list>
/// <para>
/// The obvious design copies entries into a memtable of its own and logs the encoded chunk. It stores each byte twice,
/// and replay has to evaluate compare-and-swaps and leases again, with the clock of another day. Here the segment is
/// the memtable's storage, and the record says what happened.
/// </para>
/// <para>
/// Threads: any applier. One at a time is in the gate. The user's clock and memory run before the gate, never under it.
/// <see cref="AsyncApplier"/> serves callers that must not wait.
/// </para>
/// </summary>
internal sealed class CommitPipeline(
    EngineContext engine,
    VersionSet versions,
    WalWriter wal,
    ChunkBuffers buffers,
    MemtableRotation rotation,
    Publisher publisher,
    WalSyncer syncer,
    WriteThrottle throttle)
{
    /// <summary>
    /// With this many operations, indexing a chunk takes longer than the system call that starts its write-back.
    /// </summary>
    private const int SyncAheadOperationsMin = 32;

    /// <summary>The longest that a caller of <see cref="TryAppend"/> waits for the gate.</summary>
    private static readonly TimeSpan GateWaitMax = TimeSpan.FromMilliseconds(1);

    private readonly ChunkDecoder _decoder = new(buffers);
    private readonly ChunkValidator _validator = new(engine, versions, wal);
    private readonly RecordBuilder _builder = new(engine, versions, wal);
    private readonly bool _awaitsSync = engine.Options.Durability == Durability.Power;

    /// <summary>Applies for callers that must not wait. Set once, before another thread has the pipeline.</summary>
    public AsyncApplier Async { get; set; } = null!;

    /// <inheritdoc cref="LsmStateMachine.ApplyChunk(ReadOnlySpan{byte}, Span{ApplyResult}, ReadOnlySpan{byte})"/>
    public int Apply(ReadOnlySpan<byte> encodedChunk, Span<ApplyResult> results, in MarkChange mark = default)
    {
        throttle.WaitForTurn();
        engine.Clock.ReadLocal(); // the user's clock: before the gate
        CommitTicket ticket;
        using (versions.Gate.Enter())
        {
            engine.State.EnsureWritable();
            try
            {
                var count = _decoder.Decode(encodedChunk);
                ticket = AppendGateHeld(new WireSource(encodedChunk, buffers.Entries), count, results, mark);
            }
            finally
            {
                buffers.DropLarge();
            }
        }

        WaitDurable(ticket);
        return ticket.Count;
    }

    /// <inheritdoc
    /// cref="LsmStateMachine.ApplyChunk(in ReadOnlySequence{byte}, Span{ApplyResult}, ReadOnlySpan{byte})"/>
    public int Apply(in ReadOnlySequence<byte> encodedChunk, Span<ApplyResult> results, in MarkChange mark = default)
    {
        if (encodedChunk.IsSingleSegment) return Apply(encodedChunk.FirstSpan, results, mark);
        if (encodedChunk.Length > Array.MaxLength)
            throw new ArgumentException("The chunk is over 2 GiB.", nameof(encodedChunk));
        using var gathered = SpanOwner<byte>.Allocate((int)encodedChunk.Length);
        encodedChunk.CopyTo(gathered.Span);
        return Apply(gathered.Span, results, mark);
    }

    /// <inheritdoc cref="LsmStateMachine.ApplyChunk(ReadOnlySpan{ApplyEntry}, Span{ApplyResult}, ReadOnlySpan{byte})"/>
    public void Apply(ReadOnlySpan<ApplyEntry> chunk, Span<ApplyResult> results, in MarkChange mark = default)
    {
        throttle.WaitForTurn();
        engine.Clock.ReadLocal(); // the user's clock: before the gate
        WaitDurable(Append(chunk, results, mark));
    }

    /// <summary>Appends and publishes a chunk; does not wait for its sync, nor read the user's clock.</summary>
    public CommitTicket Append(
        ReadOnlySpan<ApplyEntry> chunk, Span<ApplyResult> results, in MarkChange mark = default)
    {
        using (versions.Gate.Enter())
            if (TryAppendGateHeld(chunk, results, mark, mayMakeMemtable: true, out var ticket)) return ticket;
        using var copied = new CopiedChunk(chunk);
        return Append(copied.Entries, results, mark);
    }

    /// <summary>
    /// Appends a chunk like <see cref="Append"/>. False, with nothing changed, if the chunk would have to wait longer
    /// than a millisecond for the gate, or for a memtable to be made.
    /// </summary>
    public bool TryAppend(ReadOnlySpan<ApplyEntry> chunk, Span<ApplyResult> results, out CommitTicket ticket)
    {
        ticket = default;
        if (!versions.Gate.TryTakeTurn(GateWaitMax) || !versions.Gate.TryEnter(GateWaitMax, out var gate)) return false;
        using (gate)
            if (TryAppendGateHeld(chunk, results, in MarkChange.None, mayMakeMemtable: false, out ticket))
                return !ticket.IsDeferred;
        using var copied = new CopiedChunk(chunk);
        return TryAppend(copied.Entries, results, out ticket);
    }

    /// <inheritdoc cref="LsmStateMachine.UpdateLastApplied"/>
    public void UpdateLastApplied(LogId lastApplied)
    {
        LogOffset end;
        using (versions.EnterGate())
        {
            engine.State.EnsureMutable();
            var position = wal.Position;
            if (lastApplied.Index < position.Index || lastApplied.Term < position.Term
                || (lastApplied.Index == position.Index && lastApplied.Term != position.Term))
                throw new ArgumentOutOfRangeException(
                    nameof(lastApplied), lastApplied, $"The applied position is {position.Id}; it only moves forward.");
            if (lastApplied.Index == position.Index) return;
            rotation.ReserveGateHeld(WalMarker.SizeOf(WalRecordType.Advance));
            var generation = versions.Current.Generation;
            generation.ReserveJump();
            wal.AppendMarker(
                WalRecordType.Advance, [], position with { Index = lastApplied.Index, Term = lastApplied.Term });
            generation.RecordJump(lastApplied.Index, lastApplied.Term);
            publisher.AppendedGateHeld();
            end = wal.End;
        }

        if (_awaitsSync) syncer.Wait(end);
    }

    /// <summary>Appends a marker at the log's position.</summary>
    /// <returns>The end of the log after it.</returns>
    public LogOffset AppendMarkerGateHeld(WalRecordType type, ReadOnlySpan<byte> payload)
    {
        LockOrder.Gate.AssertHeld();
        rotation.ReserveGateHeld(WalMarker.SizeOf(type));
        wal.AppendMarker(type, payload, wal.Position);
        return wal.End;
    }

    /// <summary>Appends the records of a lease clean-up at the log's position: all of them, or none.</summary>
    /// <returns>The end of the log after them.</returns>
    public LogOffset AppendCleanUpGateHeld(IReadOnlyList<CleanUpRecord> records)
    {
        LockOrder.Gate.AssertHeld();
        rotation.ReserveGateHeld(records.Sum(record => (long)WalRecordHeader.Size + record.Payload.Length));
        foreach (var (payload, deadline) in records)
        {
            wal.AppendMarker(WalRecordType.Clean, payload, wal.Position);
            versions.Current.Memtables[0].NoteCleanUp(wal.Position.Index, deadline);
        }

        publisher.AppendedGateHeld();
        return wal.End;
    }

    /// <inheritdoc cref="LsmStateMachine.FlushAsync"/>
    public Task FlushAsync(CancellationToken cancellationToken)
    {
        LogOffset end;
        using (versions.EnterGate())
        {
            engine.State.EnsureMutable();
            end = wal.End;
            if (!(end > wal.Synced)) return Task.CompletedTask;
        }

        return syncer.WaitAsync(end).WaitAsync(cancellationToken);
    }

    /// <summary>Appends the close marker if everything before it is durable; false if none is needed.</summary>
    public bool TryAppendCloseMarker()
    {
        using (versions.EnterGate()) return wal.TryAppendCloseMarker();
    }

    /// <summary>False if the bytes of a command are reached through the user's code.</summary>
    private bool TryAppendGateHeld(
        ReadOnlySpan<ApplyEntry> chunk, Span<ApplyResult> results, in MarkChange mark, bool mayMakeMemtable,
        out CommitTicket ticket)
    {
        LockOrder.Gate.AssertHeld();
        engine.State.EnsureWritable();
        ticket = default;
        try
        {
            if (!_decoder.TryCopyFrom(chunk)) return false;
            ticket = AppendGateHeld(
                new NativeSource(chunk, buffers.Entries), chunk.Length, results, mark, mayMakeMemtable);
            return true;
        }
        finally
        {
            buffers.DropLarge();
        }
    }

    /// <summary>Steps 1 to 5: everything from the check to the publication.</summary>
    private CommitTicket AppendGateHeld<TSource>(
        scoped in TSource source, int count, Span<ApplyResult> results, in MarkChange mark,
        bool mayMakeMemtable = true)
        where TSource : IChunkSource, allows ref struct
    {
        LockOrder.Gate.AssertHeld();
        if (results.Length < count)
            throw new ArgumentException(
                $"The span has room for {results.Length} results; the chunk has {count} entries.", nameof(results));
        var first = _validator.CheckGateHeld(buffers, count, results, TSource.ParameterName, out var operationBytes);
        if (first == count) return MoveMarkGateHeld(count, mark);

        if (buffers.HasRenewals)
            operationBytes += _builder.Conditions.MeasureRenewalsGateHeld(buffers, source, first, count);
        var positions = buffers.Positions.AsSpan(first, count - first);
        var flags = ChunkColumnsWriter.Needed(positions);
        if (mark.Moves(wal.Mark)) flags |= ColumnFlags.Mark;
        var lengthMax = WalRecordHeader.Size + ChunkColumnsWriter.SizeMax(positions.Length, flags) + operationBytes;
        if (lengthMax > WalRecordHeader.LengthMax)
            throw new ArgumentException("The chunk is too large for one record of 2 GiB.", TSource.ParameterName);
        if (!mayMakeMemtable && rotation.MustMakeGateHeld(lengthMax, positions.Length)) return CommitTicket.Deferred;
        rotation.ReserveGateHeld(lengthMax, positions.Length);
        versions.Current.Generation.Reserve(positions, flags);
        var record = _builder.BuildGateHeld(buffers, source, first, count, (int)lengthMax, flags, mark, out var place);
        CommitRecordGateHeld(record, mark);
        publisher.EnterGateHeld(buffers, first, count, record.OperationCount, place, results);
        return new CommitTicket(count, wal.End, _awaitsSync);
    }

    /// <summary>Moves the mark of a chunk without new entries, if there is another one.</summary>
    private CommitTicket MoveMarkGateHeld(int count, in MarkChange mark)
    {
        LockOrder.Gate.AssertHeld();
        if (mark.Moves(wal.Mark))
        {
            rotation.ReserveGateHeld(WalMarker.SizeOf(WalRecordType.Mark));
            wal.AppendMark(mark.Mark);
            publisher.AppendedGateHeld();
        }

        // Duplicates and an equal mark are acknowledged once their first apply is durable too.
        return new CommitTicket(count, wal.End, NeedsSync: _awaitsSync && (count > 0 || mark.IsGiven));
    }

    /// <summary>
    /// Commits the record. If it is synced afterwards and is large enough, the device starts writing it at once.
    /// </summary>
    private void CommitRecordGateHeld(in WalRecordHeader header, in MarkChange mark)
    {
        LockOrder.Gate.AssertHeld();
        try
        {
            wal.CommitRecord(header, mark.Mark);
        }
        catch (IOException e) when (e is not StorageFullException)
        {
            // Any part of the record may have reached the file: an open finds out.
            engine.State.Fail(e);
            throw new EngineFaultedException(e);
        }

        if (!_awaitsSync || header.OperationCount < SyncAheadOperationsMin) return;
        try
        {
            wal.BeginSync(header.Length);
        }
        catch (IOException e)
        {
            engine.State.Fail(e);
            throw new EngineFaultedException(e);
        }
    }

    private void WaitDurable(in CommitTicket ticket)
    {
        if (ticket.NeedsSync) syncer.Wait(ticket.End);
    }
}
