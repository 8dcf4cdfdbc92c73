using Varve.Contract;
using Varve.Format;
using Varve.Wal;

namespace Varve.Changes;

/// <summary>Decodes the changes of one record, which this process wrote or verified.</summary>
internal static class RecordChanges
{
    /// <summary>
    /// Passes the changes of a record to a sink, from the place of the cursor and from an index on. False if the sink
    /// ended the walk, before the change at the cursor.
    /// </summary>
    public static bool Pass<TSink>(
        WalSegment segment, in WalRecordView record, ulong from, ref ChangeCursor cursor, ref TSink sink)
        where TSink : struct, IChangeSink
    {
        if (record.Header.LastIndex < from) return true;
        return record.Header.Type switch
        {
            WalRecordType.Chunk => PassChunk(segment, record, from, ref cursor, ref sink),
            WalRecordType.Clean => PassCleanUp(segment, record, ref cursor, ref sink),
            _ => true,
        };
    }

    private static bool PassChunk<TSink>(
        WalSegment segment, in WalRecordView record, ulong from, ref ChangeCursor cursor, ref TSink sink)
        where TSink : struct, IChangeSink
    {
        ref readonly var header = ref record.Header;
        var (entry, term) = (0UL, header.Term); // the term is that of the entry
        var columns = default(ChunkColumns);
        var hasTerms = (header.Flags & ColumnFlags.Terms) != 0;
        if (hasTerms && !record.TryOpenColumns(out columns, out var error))
            throw DecodeFailure.Of(segment.Path, header.Offset, CorruptionKind.Record, error);
        var operations = record.Operations;
        for (var i = 0; operations.MoveNextOfRecord(); i++)
        {
            var index = WalOperation.IndexOf(operations.Current);
            if (i < cursor.Skip || index < from) continue;
            while (hasTerms && entry < index && columns.MoveNext()) (entry, term) = (columns.Index, columns.Term);
            var kind = WalOperation.Read(operations.Current, out var key, out var value, out _);
            cursor.Skip = i;
            var change = new ChangeView(
                index, term, kind == RecordKind.Tombstone ? ChangeKind.Delete : ChangeKind.Put, key, value);
            if (!sink.Take(change, cursor)) return false;
            cursor.Skip = i + 1;
        }

        if (!operations.Error.IsFault) return true;
        throw DecodeFailure.Of(segment.Path, operations.Offset, CorruptionKind.Record, operations.Error);
    }

    private static bool PassCleanUp<TSink>(
        WalSegment segment, in WalRecordView record, ref ChangeCursor cursor, ref TSink sink)
        where TSink : struct, IChangeSink
    {
        ref readonly var header = ref record.Header;
        if (!CleanUpMarker.TryOpen(record.Payload, out var cleanUp, out var error))
            throw DecodeFailure.Of(segment.Path, header.Offset, CorruptionKind.Record, error);
        var keys = cleanUp.Keys;
        for (var i = 0; keys.MoveNext(); i++)
        {
            if (i < cursor.Skip) continue;
            cursor.Skip = i;
            var change = new ChangeView(header.LastIndex, header.Term, ChangeKind.Expired, keys.Current, default);
            if (!sink.Take(change, cursor)) return false;
            cursor.Skip = i + 1;
        }

        return true;
    }
}
