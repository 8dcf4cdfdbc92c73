using System.Buffers;
using CommunityToolkit.HighPerformance.Buffers;
using Varve.Format;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// The way of a chunk: decode it whole, check it whole, make room, resolve each entry against what is there and write
/// its effect into the mapped segment, seal the record, (sync), index the operations, publish the position. Up to the
/// seal nothing has changed that anyone can see, and from the seal on nothing can fail but the sync, which latches.
/// <para>Nothing else appends to the log: records without entries, too, are appended here.</para>
/// </summary>
internal sealed class CommitPipeline(
    EngineContext engine,
    VersionSet versions,
    WalWriter wal,
    ChunkBuffers scratch,
    MemtableRotation rotation,
    Publisher publisher,
    WalSyncer syncer,
    WriteThrottle throttle)
{
    /// <summary>
    /// From here on indexing a chunk takes longer than the system call that has the device begin before it.
    /// </summary>
    private const int SyncAheadOperationsMin = 32;

    private readonly ChunkValidator _validator = new(engine, versions, wal);
    private readonly RecordBuilder _builder = new(engine, versions, wal);
    private readonly bool _awaitsSync = engine.Options.Durability == Durability.Power;

    /// <inheritdoc cref="LsmStateMachine.ApplyChunk(ReadOnlySpan{byte}, Span{ApplyResult})"/>
    public int Apply(ReadOnlySpan<byte> encodedChunk, Span<ApplyResult> results)
    {
        throttle.WaitForTurn();
        engine.Clock.ReadLocal(); // the user's clock: before the gate
        int count;
        LogOffset end;
        lock (versions.Gate)
        {
            engine.State.EnsureWritable();
            try
            {
                count = scratch.Decode(encodedChunk);
                end = AppendLocked(new WireSource(encodedChunk, scratch.Entries), count, results);
            }
            finally
            {
                scratch.Trim();
            }
        }

        if (_awaitsSync) WaitDurable(end);
        return count;
    }

    /// <inheritdoc cref="LsmStateMachine.ApplyChunk(in ReadOnlySequence{byte}, Span{ApplyResult})"/>
    public int Apply(in ReadOnlySequence<byte> encodedChunk, Span<ApplyResult> results)
    {
        if (encodedChunk.IsSingleSegment) return Apply(encodedChunk.FirstSpan, results);
        if (encodedChunk.Length > Array.MaxLength)
            throw new ArgumentException("The chunk is over 2 GiB.", nameof(encodedChunk));
        using var gathered = SpanOwner<byte>.Allocate((int)encodedChunk.Length);
        encodedChunk.CopyTo(gathered.Span);
        return Apply(gathered.Span, results);
    }

    /// <inheritdoc cref="LsmStateMachine.ApplyChunk(ReadOnlySpan{ApplyEntry}, Span{ApplyResult})"/>
    public void Apply(ReadOnlySpan<ApplyEntry> chunk, Span<ApplyResult> results)
    {
        throttle.WaitForTurn();
        var end = AppendNative(chunk, results);
        if (_awaitsSync) WaitDurable(end);
    }

    /// <inheritdoc cref="LsmStateMachine.ApplyChunkAsync"/>
    public ValueTask<ApplyResult[]> ApplyAsync(ReadOnlyMemory<ApplyEntry> chunk)
    {
        throttle.WaitForTurn();
        var results = new ApplyResult[chunk.Length];
        var end = AppendNative(chunk.Span, results);
        return _awaitsSync && end != default ? Acknowledge(end, results) : new ValueTask<ApplyResult[]>(results);

        async ValueTask<ApplyResult[]> Acknowledge(LogOffset end, ApplyResult[] results)
        {
            await syncer.WaitAsync(end).ConfigureAwait(false);
            return results;
        }
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
            rotation.ReserveLocked(WalWriter.MarkerSize(0));
            var generation = versions.Current.Generation;
            generation.ReserveJump();
            wal.AppendMarker(
                WalRecordType.Advance, [], position with { Index = lastApplied.Index, Term = lastApplied.Term });
            generation.NoteJump(lastApplied.Index, lastApplied.Term);
            publisher.AppendedLocked();
            end = wal.End;
        }

        if (_awaitsSync) WaitDurable(end);
    }

    /// <summary>
    /// Appends a record without entries at the log's position; where the log ends after it. Under the gate.
    /// </summary>
    public LogOffset AppendMarkerLocked(WalRecordType type, ReadOnlySpan<byte> payload)
    {
        rotation.ReserveLocked(WalWriter.MarkerSize(payload.Length));
        wal.AppendMarker(type, payload, wal.Position);
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

    /// <summary>Appends the close marker, if everything before it is durable; false where it is not needed.</summary>
    public bool TryAppendCloseMarker()
    {
        using (versions.EnterGate()) return wal.TryAppendCloseMarker();
    }

    private LogOffset AppendNative(ReadOnlySpan<ApplyEntry> chunk, Span<ApplyResult> results)
    {
        engine.Clock.ReadLocal(); // the user's clock: before the gate
        lock (versions.Gate)
        {
            engine.State.EnsureWritable();
            try
            {
                if (scratch.TryTake(chunk))
                    return AppendLocked(new NativeSource(chunk, scratch.Entries), chunk.Length, results);
            }
            finally
            {
                scratch.Trim();
            }
        }

        using var copied = new CopiedChunk(chunk);
        return AppendNative(copied.Entries, results);
    }

    /// <summary>
    /// Everything from the check to the publication; where the log ended after it, or default when nothing was new.
    /// </summary>
    private LogOffset AppendLocked<TSource>(TSource source, int count, Span<ApplyResult> results)
        where TSource : IChunkSource, allows ref struct
    {
        if (results.Length < count)
            throw new ArgumentException(
                $"The span has room for {results.Length} results; the chunk has {count} entries.", nameof(results));
        var first = _validator.CheckLocked(scratch, count, results, TSource.ParameterName, out var operationBytes);
        var fresh = count - first;
        // Duplicates may be all there is; they are answered once what they were is durable too.
        if (fresh == 0) return count == 0 ? default : wal.End;

        var positions = scratch.Positions.AsSpan(0, fresh);
        var flags = ChunkColumnsWriter.Needed(positions);
        var lengthMax = WalRecordHeader.Size + ChunkColumnsWriter.SizeMax(fresh, flags) + operationBytes;
        if (lengthMax > WalRecordHeader.LengthMax)
            throw new ArgumentException("The chunk is too large for one record of 2 GiB.", TSource.ParameterName);
        rotation.ReserveLocked(lengthMax, fresh);
        versions.Current.Generation.Reserve(positions, flags);
        var record = _builder.BuildLocked(scratch, source, first, fresh, (int)lengthMax, flags, out var place);
        SealLocked(record);
        publisher.EnterLocked(scratch, place, first, fresh, results);
        return wal.End;
    }

    /// <summary>
    /// Seals the record. Where it is synced afterwards, the device begins with it at once if there is work enough to
    /// overlap.
    /// </summary>
    private void SealLocked(in WalRecordHeader header)
    {
        try
        {
            wal.CommitRecord(header);
        }
        catch (IOException e) when (e is not StorageFullException)
        {
            // How much of it reached the file nobody knows: a new open finds out.
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

    private void WaitDurable(LogOffset end)
    {
        if (end != default) syncer.Wait(end);
    }
}
