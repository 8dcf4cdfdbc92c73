using System.Buffers;
using System.Runtime.CompilerServices;
using CommunityToolkit.HighPerformance.Buffers;
using Varve.Applying;
using Varve.Format;
using Varve.Memory;
using Varve.Memtables;
using Varve.Versions;
using Varve.Wal;

namespace Varve;

// The way of a chunk: decode it whole, check it whole, make room, resolve each entry against what is there and write its effect
// into the mapped segment, seal the record, (sync), index the operations, publish the position. Up to the seal nothing has
// changed that anyone can see, and from the seal on nothing can fail but the sync, which latches.
public sealed partial class LsmStateMachine
{
    /// <summary>From here on indexing a chunk takes longer than the system call that has the device begin before it.</summary>
    private const int SyncAheadOperationsMin = 32;

    private readonly ChunkScratch _scratch;
    private readonly bool _refusesInvalid;

    /// <summary>Applies an encoded chunk, all or none. See docs/FORMAT.md for the bytes. No allocation; no system call unless durability, or <see cref="TableAccess.Probed"/> for a compare-and-swap, asks for one.</summary>
    /// <param name="encodedChunk">Varint-delimited entries; read during the call only.</param>
    /// <param name="results">Receives one result an entry; at least as many elements as entries.</param>
    /// <returns>The number of entries.</returns>
    /// <exception cref="ArgumentException">The bytes are no chunk (the message names the offset), <paramref name="results"/> is too short, indexes or terms are in disorder, or a key or value is out of its limits.</exception>
    /// <exception cref="LogGapException">The chunk does not follow on what was applied, under <see cref="LogGapPolicy.Reject"/>.</exception>
    /// <exception cref="DuplicateEntryException">An entry was applied too long ago for its outcome to be known.</exception>
    /// <exception cref="StorageFullException">There is no room for the log; nothing changed.</exception>
    /// <exception cref="EngineFaultedException">An earlier failure, or this chunk's sync, left the engine unable to promise anything.</exception>
    public int ApplyChunk(ReadOnlySpan<byte> encodedChunk, Span<ApplyResult> results)
    {
        Throttle();
        _clock.ReadLocal(); // the user's clock: before the gate
        int count;
        LogOffset end;
        lock (_versions.Gate)
        {
            _state.EnsureWritable();
            try
            {
                count = _scratch.Decode(encodedChunk);
                end = AppendLocked(new WireSource(encodedChunk, _scratch.Entries), count, results);
            }
            finally
            {
                _scratch.Trim();
            }
        }

        if (_options.Durability == Durability.Power) WaitDurable(end);
        return count;
    }

    /// <summary>As the overload for one span; a sequence of several segments is gathered first, into a pooled buffer.</summary>
    /// <param name="encodedChunk">Varint-delimited entries.</param>
    /// <param name="results">Receives one result an entry.</param>
    /// <returns>The number of entries.</returns>
    public int ApplyChunk(in ReadOnlySequence<byte> encodedChunk, Span<ApplyResult> results)
    {
        if (encodedChunk.IsSingleSegment) return ApplyChunk(encodedChunk.FirstSpan, results);
        if (encodedChunk.Length > Array.MaxLength) throw new ArgumentException("The chunk is over 2 GiB.", nameof(encodedChunk));
        using var gathered = SpanOwner<byte>.Allocate((int)encodedChunk.Length);
        encodedChunk.CopyTo(gathered.Span);
        return ApplyChunk(gathered.Span, results);
    }

    /// <summary>Applies a chunk of commands, all or none; the state is byte for byte that of the same chunk encoded.</summary>
    /// <param name="chunk">The entries, in log order.</param>
    /// <param name="results">Receives one result an entry.</param>
    /// <inheritdoc cref="ApplyChunk(ReadOnlySpan{byte}, Span{ApplyResult})" path="/exception"/>
    public void ApplyChunk(ReadOnlySpan<ApplyEntry> chunk, Span<ApplyResult> results)
    {
        Throttle();
        var end = AppendNative(chunk, results);
        if (_options.Durability == Durability.Power) WaitDurable(end);
    }

    /// <inheritdoc/>
    public ValueTask<ApplyResult[]> ApplyChunkAsync(ReadOnlyMemory<ApplyEntry> chunk, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Throttle();
        var results = new ApplyResult[chunk.Length];
        var end = AppendNative(chunk.Span, results);
        return _options.Durability == Durability.Power && end != default ? Acknowledge(end, results) : new ValueTask<ApplyResult[]>(results);

        async ValueTask<ApplyResult[]> Acknowledge(LogOffset end, ApplyResult[] results)
        {
            await _syncer.WaitAsync(end).ConfigureAwait(false);
            return results;
        }
    }

    private LogOffset AppendNative(ReadOnlySpan<ApplyEntry> chunk, Span<ApplyResult> results)
    {
        _clock.ReadLocal(); // the user's clock: before the gate
        lock (_versions.Gate)
        {
            _state.EnsureWritable();
            try
            {
                if (_scratch.TryTake(chunk)) return AppendLocked(new NativeSource(chunk, _scratch.Entries), chunk.Length, results);
            }
            finally
            {
                _scratch.Trim();
            }
        }

        using var copied = new CopiedChunk(chunk);
        return AppendNative(copied.Entries, results);
    }

    /// <summary>Everything from the check to the publication; where the log ended after it, or default when nothing was new.</summary>
    private LogOffset AppendLocked<TSource>(TSource source, int count, Span<ApplyResult> results) where TSource : IChunkSource, allows ref struct
    {
        if (results.Length < count) throw new ArgumentException($"The span has room for {results.Length} results; the chunk has {count} entries.", nameof(results));
        var first = CheckLocked(count, results, TSource.ParameterName, out var operationBytes);
        var fresh = count - first;
        // Duplicates may be all there is; they are answered once what they were is durable too.
        if (fresh == 0) return count == 0 ? default : new LogOffset(_wal.Active.Number, _wal.Active.End);

        var positions = _scratch.Positions.AsSpan(0, fresh);
        var flags = ChunkColumnsWriter.Needed(positions);
        var lengthMax = WalRecordHeader.Size + ChunkColumnsWriter.SizeMax(fresh, flags) + operationBytes;
        if (lengthMax > WalRecordHeader.LengthMax) throw new ArgumentException("The chunk is too large for one record of 2 GiB.", TSource.ParameterName);
        ReserveLocked(lengthMax, fresh);
        _versions.Current.Incarnation.Reserve(positions, flags);

        var segment = _wal.Active;
        var memtable = _versions.Current.Memtables[0];
        var localTime = _clock.SeenLocal; // raised before the gate
        var room = _wal.Build((int)lengthMax);
        var columns = ChunkColumnsWriter.Write(room[WalRecordHeader.Size..], positions, flags);
        var length = WalRecordHeader.Size + columns;
        var operations = 0;

        // From here on keys are those of the log's copy: the caller's may change meanwhile. A compare-and-swap that fails leaves no
        // operation, so what was placed after it moves down.
        PlaceKeysLocked(source, first, fresh, room, length, memtable.Index);
        var place = fresh == 1 && _scratch.Entries[first].Kind != CommandKind.Noop
            ? memtable.Index.Locate(room.Slice(length + WalOperation.HeaderSize, _scratch.Entries[first].KeyLength))
            : default;
        var placed = length;
        for (var i = 0; i < fresh; i++)
        {
            ref readonly var entry = ref _scratch.Entries[first + i];
            _scratch.References[i] = 0;
            if (entry.Kind == CommandKind.Noop) continue;

            var kind = KindOf(entry);
            var size = (int)WalOperation.SizeOf(entry.KeyLength, entry.ValueLength, kind);
            if (placed != length) WalOperation.MoveKey(room, placed, length, size, entry.KeyLength);
            placed += size;
            var key = room.Slice(length + WalOperation.HeaderSize, entry.KeyLength);
            var hash = _scratch.Hashes[i];
            var time = _options.LeaseClock == LeaseClock.Log ? positions[i].LogTimeMs : localTime;
            var prior = fresh == 1 ? 0 : _scratch.FindInChunk(_wal, key, hash);
            if (prior == 0) prior = memtable.Index.Find(key, hash);
            if (entry.Kind == CommandKind.CompareAndSwap && !Matches(source, first + i, prior, key, hash, time))
            {
                positions[i].Succeeded = false;
                continue;
            }

            var value = kind == RecordKind.Tombstone ? default : source.Value(first + i);
            var deadline = kind == RecordKind.LeasedPut ? DeadlineOf(time, entry.TtlSeconds) : 0;
            if (deadline != 0 && time == 0) WarnOnceLocked();
            _scratch.References[i] = (uint)((segment.End + length) / WalOperation.Alignment);
            WalOperation.Complete(room.Slice(length, size), entry.Index, prior, kind, entry.KeyLength, value, deadline);
            length += size;
            operations++;
            if (fresh > 1) _scratch.NoteInChunk(_wal, i, key);
        }

        memtable.Index.PrefetchForSplit(place);
        ChunkColumnsWriter.WriteOutcomes(room[WalRecordHeader.Size..], positions);
        ref readonly var last = ref positions[fresh - 1];
        SealLocked(new WalRecordHeader
        {
            Length = length,
            FirstIndex = positions[0].Index,
            LastIndex = last.Index,
            Term = last.Term,
            LogTimeMs = last.LogTimeMs,
            LocalTimeMs = localTime,
            EntryCount = fresh,
            OperationCount = operations,
            PayloadLength = columns,
            Type = WalRecordType.Chunk,
            Flags = flags,
        });
        IndexLocked(memtable.Index, place, first, fresh, results);
        return new LogOffset(segment.Number, segment.End);
    }

    /// <summary>
    /// Checks the whole chunk against the log and the limits, answers the duplicates at its front, and fills in the positions of
    /// the new entries. Returns where those begin.
    /// </summary>
    private int CheckLocked(int count, Span<ApplyResult> results, string parameter, out long operationBytes)
    {
        var incarnation = _versions.Current.Incarnation;
        var position = _wal.Position;
        var entries = _scratch.Entries.AsSpan(0, count);
        var first = 0;
        for (; first < count && entries[first].Index <= position.Index; first++)
        {
            var index = entries[first].Index;
            if (first > 0 && index <= entries[first - 1].Index) throw Disorder(first);
            if (index == 0) throw new ArgumentException($"Entry {first} of the chunk has index 0; the first of a log is 1.", parameter);
            results[first] = new ApplyResult(index, incarnation.Outcomes.Find(index) ?? throw UnknownOutcome(index));
        }

        operationBytes = 0;
        if (first == count) return first;
        _scratch.Begin(count - first);
        var (lastIndex, term, logTime) = (position.Index, position.Term, position.LogTimeMs);
        for (var i = first; i < count; i++)
        {
            ref var entry = ref entries[i];
            if (i > 0 && entry.Index <= entries[i - 1].Index) throw Disorder(i);
            if (entry.Index != lastIndex + 1 && _options.LogGaps == LogGapPolicy.Reject) throw new LogGapException(lastIndex + 1, entry.Index);
            if (entry.Term < term) throw new ArgumentException($"Entry {i} of the chunk has term {entry.Term} after term {term}.", parameter);
            var isRefused = !CommandLimits.AreKept(entry.Kind, entry.KeyLength, entry.ValueLength);
            if (isRefused)
            {
                if (!_refusesInvalid) throw new ArgumentException($"Entry {i} of the chunk has {CommandLimits.Problem(entry.KeyLength, entry.ValueLength)}.", parameter);
                entry.Kind = CommandKind.Noop; // but for its outcome
            }

            if (entry.Kind != CommandKind.Noop)
                operationBytes += WalOperation.SizeOf(entry.KeyLength, entry.ValueLength, RecordKind.LeasedPut);

            (lastIndex, term, logTime) = (entry.Index, entry.Term, Math.Max(logTime, entry.TimestampMs));
            _scratch.Positions[i - first] = new EntryPosition
            {
                Index = lastIndex,
                Term = term,
                LogTimeMs = logTime,
                Succeeded = !isRefused,
                Refused = isRefused,
            };
        }

        return first;

        ArgumentException Disorder(int entry) => new($"Entry {entry} of the chunk does not have a higher index than the one before it.", parameter);

        DuplicateEntryException UnknownOutcome(ulong index) => incarnation.Outcomes.IsPassedOver(index)
            ? DuplicateEntryException.OfPassedOver(index, position.Index)
            : new DuplicateEntryException(index);
    }

    /// <summary>
    /// Copies each key to where its operation will be, hashes the copy, and asks for its directory line ahead of use: independent misses
    /// cost a tenth of dependent ones.
    /// </summary>
    private void PlaceKeysLocked<TSource>(TSource source, int first, int fresh, Span<byte> room, int at, MemtableIndex index)
        where TSource : IChunkSource, allows ref struct
    {
        var hasher = _versions.Current.MemtableHasher;
        for (var i = 0; i < fresh; i++)
        {
            ref readonly var entry = ref _scratch.Entries[first + i];
            if (entry.Kind == CommandKind.Noop) continue;
            var size = (int)WalOperation.SizeOf(entry.KeyLength, entry.ValueLength, KindOf(entry));
            var hash = hasher.Of(WalOperation.PlaceKey(room.Slice(at, size), source.Key(first + i)));
            _scratch.Hashes[i] = hash;
            index.Prefetch(hash);
            at += size;
        }
    }

    /// <summary>The kind of the operation that an entry with an effect becomes.</summary>
    private static RecordKind KindOf(in WireEntry entry) =>
        entry.Kind == CommandKind.Delete ? RecordKind.Tombstone
        : entry.TtlSeconds != 0 ? RecordKind.LeasedPut : RecordKind.Put;

    private bool Matches<TSource>(TSource source, int entry, uint prior, ReadOnlySpan<byte> key, ulong hash, ulong time)
        where TSource : IChunkSource, allows ref struct
    {
        bool exists;
        ReadOnlySpan<byte> value;
        if (prior != 0)
        {
            var operation = _wal.OperationAt(prior);
            exists = Liveness.IsLive(operation.Kind, operation.Deadline, time);
            value = operation.Value;
        }
        else
        {
            exists = _versions.Current.TryFindHashed(key, hash, ulong.MaxValue, out var older) && older.IsLiveAt(time);
            value = older.Value;
        }

        return source.TryGetExpected(entry, out var expected) ? exists && value.SequenceEqual(expected) : !exists;
    }

    /// <summary>
    /// Indexes the sealed record's operations, remembers outcomes and terms, and publishes unless a sync comes first. All that it needs was
    /// reserved before the seal. If it fails all the same, the log has what the memtable lacks: only a new open can mend that.
    /// </summary>
    private void IndexLocked(MemtableIndex index, BlockList.Place place, int first, int fresh, Span<ApplyResult> results)
    {
        try
        {
            _options.Allocations?.Invoke(Allocation.AfterSeal);
            EnterLocked(index, place, first, fresh, results);
        }
#pragma warning disable CA1031 // Whatever it is, the record is in the log and nobody may take it for refused.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _state.Fail(e);
            throw new EngineFaultedException(e);
        }
    }

    private void EnterLocked(MemtableIndex index, BlockList.Place place, int first, int fresh, Span<ApplyResult> results)
    {
        var incarnation = _versions.Current.Incarnation;
        var operations = 0;
        for (var i = 0; i < fresh; i++)
        {
            var reference = _scratch.References[i];
            if (reference == 0) continue;
            index.InsertExact(reference, _scratch.Hashes[i]);
            _scratch.References[operations++] = reference;
        }

        if (operations == 1) index.InsertOrderedAt(place, _scratch.References[0]);
        else index.InsertOrdered(_scratch.References.AsSpan(0, operations));
        for (var i = 0; i < fresh; i++)
        {
            ref readonly var position = ref _scratch.Positions[i];
            incarnation.Note(position);
            results[first + i] = new ApplyResult(position.Index, position.Status);
        }

        _counters.EntriesApplied += fresh;
        _counters.ChunksApplied++;
        if (_options.Durability != Durability.Power) incarnation.Applied.Publish(_wal.Position);
    }

    /// <summary>Seals the record. Where it is synced afterwards, the device begins with it at once if there is work enough to overlap.</summary>
    private void SealLocked(in WalRecordHeader header)
    {
        try
        {
            _wal.Append(header);
        }
        catch (IOException e) when (e is not StorageFullException)
        {
            // How much of it reached the file nobody knows: a new open finds out.
            _state.Fail(e);
            throw new EngineFaultedException(e);
        }

        if (_options.Durability != Durability.Power || header.OperationCount < SyncAheadOperationsMin) return;
        try
        {
            _wal.BeginSync(header.Length);
        }
        catch (IOException e)
        {
            _state.Fail(e);
            throw new EngineFaultedException(e);
        }
    }
}
