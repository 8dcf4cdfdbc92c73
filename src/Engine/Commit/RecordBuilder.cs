using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Tables;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// Builds the record of a chunk in the log's own memory: resolves each entry against what is there and writes its
/// effect. Nobody can see any of it before the record is sealed. Under the gate.
/// </summary>
internal sealed class RecordBuilder(EngineContext engine, VersionSet versions, WalWriter wal)
{
    private readonly bool _isLogClock = engine.Options.LeaseClock == LeaseClock.Log;
    private bool _hasWarned;

    /// <summary>Builds the record of a chunk's new entries; its header, to be sealed with.</summary>
    /// <param name="scratch">The checked chunk.</param>
    /// <param name="source">The chunk's keys and values.</param>
    /// <param name="first">The first new entry.</param>
    /// <param name="fresh">How many entries are new.</param>
    /// <param name="lengthMax">The most bytes that the record takes; they are reserved.</param>
    /// <param name="flags">The columns that the entries need.</param>
    /// <param name="place">Where in the index the one operation goes, if the chunk has one entry.</param>
    public WalRecordHeader BuildLocked<TSource>(
        ChunkBuffers scratch, TSource source, int first, int fresh, int lengthMax, ColumnFlags flags,
        out BlockList.Place place)
        where TSource : IChunkSource, allows ref struct
    {
        var positions = scratch.Positions.AsSpan(0, fresh);
        var segment = wal.Active;
        var memtable = versions.Current.Memtables[0];
        var localTime = engine.Clock.SeenLocal; // raised before the gate
        var room = wal.BeginRecord(lengthMax);
        var columns = ChunkColumnsWriter.Write(room[WalRecordHeader.Size..], positions, flags);
        var length = WalRecordHeader.Size + columns;
        var operations = 0;

        // From here on keys are those of the log's copy: the caller's may change meanwhile. A compare-and-swap that
        // fails leaves no operation, so what was placed after it moves down.
        PlaceKeysLocked(scratch, source, first, fresh, room, length, memtable.Index);
        place = fresh == 1 && scratch.Entries[first].Kind != CommandKind.Noop
            ? memtable.Index.Locate(room.Slice(length + WalOperation.HeaderSize, scratch.Entries[first].KeyLength))
            : default;
        var placed = length;
        for (var i = 0; i < fresh; i++)
        {
            ref readonly var entry = ref scratch.Entries[first + i];
            scratch.References[i] = 0;
            if (entry.Kind == CommandKind.Noop) continue;

            var kind = KindOf(entry);
            var size = (int)WalOperation.SizeOf(entry.KeyLength, entry.ValueLength, kind);
            if (placed != length) WalOperation.MoveKey(room, placed, length, size, entry.KeyLength);
            placed += size;
            var key = room.Slice(length + WalOperation.HeaderSize, entry.KeyLength);
            var hash = scratch.Hashes[i];
            var time = _isLogClock ? positions[i].LogTimeMs : localTime;
            var prior = fresh == 1 ? 0 : scratch.FindInChunk(wal, key, hash);
            if (prior == 0) prior = memtable.Index.Find(key, hash);
            if (entry.Kind == CommandKind.CompareAndSwap && !Matches(source, first + i, prior, key, hash, time))
            {
                positions[i].Succeeded = false;
                continue;
            }

            var value = kind == RecordKind.Tombstone ? default : source.Value(first + i);
            var deadline = kind == RecordKind.LeasedPut ? DeadlineOf(time, entry.TtlSeconds) : 0;
            if (deadline != 0 && time == 0) WarnOnceLocked();
            scratch.References[i] = (uint)((segment.End + length) / WalOperation.Alignment);
            WalOperation.Complete(room.Slice(length, size), entry.Index, prior, kind, entry.KeyLength, value, deadline);
            length += size;
            operations++;
            if (fresh > 1) scratch.NoteInChunk(wal, i, key);
        }

        memtable.Index.PrefetchForSplit(place);
        ChunkColumnsWriter.WriteOutcomes(room[WalRecordHeader.Size..], positions);
        ref readonly var last = ref positions[fresh - 1];
        return new WalRecordHeader
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
        };
    }

    /// <summary>
    /// Copies each key to where its operation will be, hashes the copy, and asks for its directory line ahead of use:
    /// independent misses cost a tenth of dependent ones.
    /// </summary>
    private void PlaceKeysLocked<TSource>(
        ChunkBuffers scratch, TSource source, int first, int fresh, Span<byte> room, int at, MemtableIndex index)
        where TSource : IChunkSource, allows ref struct
    {
        var hasher = versions.Current.MemtableHasher;
        for (var i = 0; i < fresh; i++)
        {
            ref readonly var entry = ref scratch.Entries[first + i];
            if (entry.Kind == CommandKind.Noop) continue;
            var size = (int)WalOperation.SizeOf(entry.KeyLength, entry.ValueLength, KindOf(entry));
            var hash = hasher.Of(WalOperation.PlaceKey(room.Slice(at, size), source.Key(first + i)));
            scratch.Hashes[i] = hash;
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
            var operation = wal.OperationAt(prior);
            exists = Liveness.IsLive(operation.Kind, operation.Deadline, time);
            value = operation.Value;
        }
        else
        {
            exists = versions.Current.TryFindHashed(key, hash, ulong.MaxValue, out var older) && older.IsLiveAt(time);
            value = older.Value;
        }

        return source.TryGetExpected(entry, out var expected) ? exists && value.SequenceEqual(expected) : !exists;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong DeadlineOf(ulong timeMs, ulong ttlSeconds)
    {
        var milliseconds = Math.BigMul(ttlSeconds, 1000, out var low);
        return milliseconds != 0 || low > ulong.MaxValue - timeMs ? ulong.MaxValue : timeMs + low;
    }

    /// <summary>Says once that leases cannot expire: one was written by the log's clock, which has not begun.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WarnOnceLocked()
    {
        if (!_isLogClock || _hasWarned) return;
        _hasWarned = true;
        engine.Log.Post(Log.LeaseWithoutTime);
    }
}
