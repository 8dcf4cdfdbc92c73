using System.Runtime.CompilerServices;
using Varve.Epochs;
using Varve.Format;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// Builds the record of a chunk in the log's own memory: resolves each entry against the current state and writes its
/// effect. Nothing of it is visible before the record is committed (I2). Used under the gate.
/// </summary>
internal sealed class RecordBuilder(EngineContext engine, VersionSet versions, WalWriter wal)
{
    private readonly bool _isLogClock = engine.Options.LeaseClock == LeaseClock.Log;
    private bool _hasWarned;

    /// <summary>Judges the entries that have a condition.</summary>
    public ConditionChecker Conditions { get; } = new(versions, wal);

    /// <summary>A record under construction.</summary>
    private ref struct Draft
    {
        /// <summary>The memory of the record.</summary>
        public Span<byte> Room;

        /// <summary>Bytes of <see cref="Room"/> that are written.</summary>
        public int Length;

        /// <summary>Operations that are written.</summary>
        public int Operations;

        /// <summary>The index that the operations will enter.</summary>
        public MemtableIndex Index;

        /// <summary>The local time of all its entries, Unix milliseconds.</summary>
        public ulong LocalTimeMs;
    }

    /// <summary>Builds the record of a chunk's new entries.</summary>
    /// <param name="buffers">The checked chunk.</param>
    /// <param name="source">The chunk's keys and values.</param>
    /// <param name="first">The first new entry.</param>
    /// <param name="count">The number of the chunk's entries.</param>
    /// <param name="lengthMax">The most bytes that the record takes; they are reserved.</param>
    /// <param name="flags">The columns that the entries need.</param>
    /// <param name="mark">The mark, if the flags have one.</param>
    /// <param name="place">The place in the index of the one operation, if there is one new entry.</param>
    /// <returns>The header to commit the record with.</returns>
    public WalRecordHeader BuildGateHeld<TSource>(
        ChunkBuffers buffers, scoped in TSource source, int first, int count, int lengthMax, ColumnFlags flags,
        in MarkChange mark, out BlockList.Place place)
        where TSource : IChunkSource, allows ref struct
    {
        LockOrder.Gate.AssertHeld();
        var positions = buffers.Positions.AsSpan(first, count - first);
        var room = wal.BeginRecord(lengthMax);
        var columns = ChunkColumnsWriter.Write(WalRecordHeader.PayloadOf(room), positions, flags, mark.Mark);
        var record = new Draft
        {
            Room = room,
            Length = WalRecordHeader.Size + columns,
            Index = versions.Current.Memtables[0].Index,
            LocalTimeMs = engine.Clock.SeenLocal, // raised before the gate
        };
        place = default;
        if (positions.Length == 1) AddOnlyGateHeld(ref record, buffers, source, first, out place);
        else AddAllGateHeld(ref record, buffers, source, first, count);
        ChunkColumnsWriter.WriteOutcomes(WalRecordHeader.PayloadOf(room), positions);
        ref readonly var last = ref positions[^1];
        return new WalRecordHeader
        {
            Length = record.Length,
            FirstIndex = positions[0].Index,
            LastIndex = last.Index,
            Term = last.Term,
            LogTimeMs = last.LogTimeMs,
            LocalTimeMs = record.LocalTimeMs,
            EntryCount = positions.Length,
            OperationCount = record.Operations,
            PayloadLength = columns,
            Type = WalRecordType.Chunk,
            Flags = flags,
        };
    }

    /// <summary>
    /// Adds the only new entry: no other entry of the chunk can have its key, and its place in the index is located
    /// ahead, so that the memory of it loads while the operation is written.
    /// </summary>
    private void AddOnlyGateHeld<TSource>(
        ref Draft record, ChunkBuffers buffers, scoped in TSource source, int entry, out BlockList.Place place)
        where TSource : IChunkSource, allows ref struct
    {
        LockOrder.Gate.AssertHeld();
        ref readonly var head = ref buffers.Entries[entry];
        place = default;
        buffers.References[entry] = default;
        if (head.Kind == CommandKind.Noop) return;
        var (kind, size) = (KindOf(head), SizeOf(head));
        var hash = PlaceKeyGateHeld(source, entry, record.Room.Slice(record.Length, size), out var key);
        record.Index.Prefetch(hash);
        place = record.Index.Locate(key);
        TryAddGateHeld(ref record, buffers, source, entry, kind, size, key, hash, record.Index.Find(key, hash));
        record.Index.PrefetchForSplit(place);
    }

    private void AddAllGateHeld<TSource>(
        ref Draft record, ChunkBuffers buffers, scoped in TSource source, int first, int count)
        where TSource : IChunkSource, allows ref struct
    {
        LockOrder.Gate.AssertHeld();
        PlaceKeysGateHeld(record, buffers, source, first, count);
        var placed = record.Length;
        for (var i = first; i < count; i++)
        {
            ref readonly var head = ref buffers.Entries[i];
            buffers.References[i] = default;
            if (head.Kind == CommandKind.Noop) continue;
            var (kind, size) = (KindOf(head), SizeOf(head));
            // An entry whose condition failed left no operation, so the keys placed after it move down.
            if (placed != record.Length) WalOperation.MoveKey(record.Room, placed, record.Length, size, head.KeyLength);
            placed += size;
            var key = WalOperation.KeyAt(record.Room, record.Length, head.KeyLength);
            var hash = buffers.Hashes[i];
            var prior = buffers.FindInChunk(wal, key, hash);
            if (prior.IsNone) prior = record.Index.Find(key, hash);
            if (TryAddGateHeld(ref record, buffers, source, i, kind, size, key, hash, prior))
                buffers.SetInChunk(wal, i, key);
        }
    }

    /// <summary>
    /// Copies each key to the place of its operation, hashes the copy, and prefetches its line of the directory:
    /// independent misses cost a tenth of dependent ones.
    /// </summary>
    private void PlaceKeysGateHeld<TSource>(
        in Draft record, ChunkBuffers buffers, scoped in TSource source, int first, int count)
        where TSource : IChunkSource, allows ref struct
    {
        LockOrder.Gate.AssertHeld();
        var at = record.Length;
        for (var i = first; i < count; i++)
        {
            ref readonly var head = ref buffers.Entries[i];
            if (head.Kind == CommandKind.Noop) continue;
            var size = SizeOf(head);
            var hash = PlaceKeyGateHeld(source, i, record.Room.Slice(at, size), out _);
            buffers.Hashes[i] = hash;
            record.Index.Prefetch(hash);
            at += size;
        }
    }

    /// <summary>
    /// Copies a key to the place of its operation. From here on the copy counts: the caller may change its own.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong PlaceKeyGateHeld<TSource>(
        scoped in TSource source, int entry, Span<byte> operation, out ReadOnlySpan<byte> key)
        where TSource : IChunkSource, allows ref struct
    {
        LockOrder.Gate.AssertHeld();
        key = WalOperation.PlaceKey(operation, source.Key(entry));
        return versions.Current.MemtableHasher.Of(key);
    }

    /// <summary>
    /// Writes the operation of an entry whose key is in place; false, with nothing written, if the entry has a
    /// condition that does not hold.
    /// </summary>
    /// <param name="record">The record.</param>
    /// <param name="buffers">The chunk.</param>
    /// <param name="source">The chunk's values.</param>
    /// <param name="entry">The entry.</param>
    /// <param name="kind">The kind of its operation.</param>
    /// <param name="size">The bytes of its operation.</param>
    /// <param name="key">The key, in its place.</param>
    /// <param name="hash">The key's hash.</param>
    /// <param name="prior">The key's newest operation in the segment, or none.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryAddGateHeld<TSource>(
        ref Draft record, ChunkBuffers buffers, scoped in TSource source, int entry, RecordKind kind, int size,
        ReadOnlySpan<byte> key, ulong hash, OperationRef prior)
        where TSource : IChunkSource, allows ref struct
    {
        LockOrder.Gate.AssertHeld();
        ref readonly var head = ref buffers.Entries[entry];
        ref var position = ref buffers.Positions[entry];
        var time = _isLogClock ? position.LogTimeMs : record.LocalTimeMs;
        ReadOnlySpan<byte> renewed = default;
        if (head.Kind >= CommandKind.CompareAndSwap
            && !Conditions.TryMeetGateHeld(source, entry, head, prior, key, hash, time, out renewed))
        {
            position.Succeeded = false;
            return false;
        }

        ReadOnlySpan<byte> value = default;
        if (head.Kind == CommandKind.Renew)
        {
            value = renewed;
            size = (int)WalOperation.SizeOf(head.KeyLength, value.Length, kind); // the bound may have been longer
        }
        else if (kind != RecordKind.Tombstone)
        {
            value = source.Value(entry);
        }

        var deadline = kind == RecordKind.LeasedPut ? DeadlineOf(time, head.TtlSeconds) : 0;
        if (deadline != 0 && time == 0) WarnOnceGateHeld();
        if (kind == RecordKind.LeasedPut || record.Index.Leases > 0)
            record.Index.CountLease(kind, !prior.IsNone && wal.OperationAt(prior).Kind == RecordKind.LeasedPut);
        var reference = OperationRef.FromOffset(wal.Active.End + record.Length);
        WalOperation.Complete(
            record.Room.Slice(record.Length, size), head.Index, prior, kind, head.KeyLength, value, deadline);
        buffers.Hashes[entry] = hash;
        buffers.References[entry] = reference;
        buffers.Operations[record.Operations++] = reference;
        record.Length += size;
        return true;
    }

    private static int SizeOf(in WireEntry entry) =>
        (int)WalOperation.SizeOf(entry.KeyLength, entry.ValueLength, KindOf(entry));

    /// <summary>The kind of the operation that an entry with an effect becomes.</summary>
    private static RecordKind KindOf(in WireEntry entry) =>
        entry.Kind is CommandKind.Delete or CommandKind.CompareAndDelete ? RecordKind.Tombstone
        : entry.TtlSeconds != 0 ? RecordKind.LeasedPut : RecordKind.Put;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong DeadlineOf(ulong timeMs, ulong ttlSeconds)
    {
        var milliseconds = Math.BigMul(ttlSeconds, 1000, out var low);
        return milliseconds != 0 || low > ulong.MaxValue - timeMs ? ulong.MaxValue : timeMs + low;
    }

    /// <summary>
    /// Logs once that no lease expires: one was written under the log's clock before any entry had a timestamp.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WarnOnceGateHeld()
    {
        LockOrder.Gate.AssertHeld();
        if (!_isLogClock || _hasWarned) return;
        _hasWarned = true;
        engine.Log.Post(Log.LeaseWithoutTime);
    }
}
