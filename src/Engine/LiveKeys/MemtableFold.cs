using System.Runtime.CompilerServices;
using Varve.Contract;
using Varve.Format;
using Varve.Tables;
using Varve.Versions;
using Varve.Wal;

namespace Varve.LiveKeys;

/// <summary>
/// Steps through the records of a segment that is in use, where every record was written or verified by this process.
/// </summary>
internal static unsafe class MemtableFold
{
    /// <summary>What a fold needs of a record in place.</summary>
    internal readonly record struct Peeked(
        long Offset, long Length, WalRecordType Type, ulong FirstIndex, ulong LastIndex, int OperationCount,
        int PayloadLength);

    /// <summary>
    /// Reads the fields of a record that is known to be complete; false at the end of the segment's room.
    /// </summary>
    public static bool TryPeek(WalSegment segment, long offset, out Peeked record)
    {
        record = default;
        if (segment.Length - offset < WalRecordHeader.Size) return false;
        var start = segment.Base + offset;
        if (Unsafe.ReadUnaligned<long>(start + 8) != offset) return false;
        record = new Peeked(
            offset,
            Unsafe.ReadUnaligned<long>(start + 16),
            (WalRecordType)start[92],
            Unsafe.ReadUnaligned<ulong>(
                start + 40),
            Unsafe.ReadUnaligned<ulong>(start + 48),
            Unsafe.ReadUnaligned<int>(start + 84),
            Unsafe.ReadUnaligned<int>(start + 88));
        return true;
    }

    /// <summary>The columns of a chunk record.</summary>
    public static ChunkColumns Columns(WalSegment segment, Peeked record)
    {
        if (!segment.TryReadRecord(record.Offset, out var header, out var error)
            || !ChunkColumns.TryOpen(
                segment.From(record.Offset + WalRecordHeader.Size)[..header.PayloadLength], header, out var columns,
                out error))
        {
            throw DecodeFailure.Of(segment.Path, record.Offset, "record", error);
        }

        return columns;
    }

    /// <summary>
    /// By how much a record's effects up to an index change the number of live keys, at a time. The older version of a
    /// key is found through the operation's own link, or below the memtable.
    /// </summary>
    public static long Count(
        DbVersion version, int memtable, Peeked record, ulong index, ulong timeMs, SortedSet<(ulong, uint)>? leases)
    {
        if (record.Type != WalRecordType.Chunk) return 0;
        var count = 0L;
        var segment = version.Memtables[memtable].Segment;
        var offset = record.Offset + WalRecordHeader.Size + record.PayloadLength;
        for (var i = 0; i < record.OperationCount; i++)
        {
            var view = new WalOperationView(segment.Base + offset);
            if (view.Index > index) break;
            if (view.Kind == RecordKind.LeasedPut)
                leases?.Add((view.Deadline, (uint)(offset / WalOperation.Alignment)));
            count += (Liveness.IsLive(view.Kind, view.Deadline, timeMs) ? 1 : 0)
                - (WasLive(version, memtable, view, timeMs) ? 1 : 0);
            offset += WalOperation.SizeOf(view.KeyLength, view.ValueLength, view.Kind);
        }

        return count;
    }

    private static bool WasLive(DbVersion version, int memtable, WalOperationView view, ulong timeMs)
    {
        if (view.Prior != 0)
        {
            var prior = new WalOperationView(
                version.Memtables[memtable].Segment.Base + (long)view.Prior * WalOperation.Alignment);
            return Liveness.IsLive(prior.Kind, prior.Deadline, timeMs);
        }

        var key = view.Key;
        var hash = version.MemtableHasher.Of(key);
        for (var i = memtable + 1; i < version.Memtables.Length; i++)
        {
            var older = version.Memtables[i];
            var reference = older.Index.FindVisible(key, hash, ulong.MaxValue);
            if (reference != 0) return new KeyVersion(older.Index.OperationAt(reference)).IsLiveAt(timeMs);
        }

        return version.TryFindInRuns(key, out var found) && found.IsLiveAt(timeMs);
    }
}
