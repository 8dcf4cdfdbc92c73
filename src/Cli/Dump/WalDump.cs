using Varve.Contract;
using Varve.Format;

namespace Varve.Cli.Dump;

/// <summary>Dumps a WAL segment up to its end, the first offset without a valid record.</summary>
internal static class WalDump
{
    public static void Write(ReadOnlySpan<byte> file, DumpWriter writer)
    {
        if (!WalSegmentHeader.TryDecode(file, out var segment, out var error))
            throw writer.Corrupt(CorruptionKind.SegmentHeader, 0, error);
        writer.Line(
            0,
            $"segment {segment.Number} of database {segment.DatabaseId}, {segment.Length} bytes, salt "
                + $"{segment.Salt:x16}");

        var records = new WalRecordReader(file, segment.Salt);
        while (records.Next < file.Length && !writer.IsFull)
        {
            if (!records.MoveNext())
            {
                error = records.Error;
                if (error.IsUnsupported) throw writer.Corrupt(CorruptionKind.Record, records.Next, error);
                var rest = file[(int)records.Next..];
                writer.Line(records.Next, rest.ContainsAnyExcept((byte)0)
                    ? $"end: no valid record ({error.Reason}); {rest.Length} bytes follow"
                    : $"end: {rest.Length} bytes of zeros");
                return;
            }

            WriteRecord(records.Current, writer);
        }
    }

    private static void WriteRecord(in WalRecordView view, DumpWriter writer)
    {
        ref readonly var record = ref view.Header;
        var common =
            $"{record.Type}, {record.Length} bytes, index {record.FirstIndex}..{record.LastIndex}, term {record.Term}, "
                + $"log time {record.LogTimeMs}, synced to {record.SyncedSegment}:{record.SyncedOffset}";
        writer.Line(record.Offset, common + Describe(view));
        if (record.Type != WalRecordType.Chunk) return;
        if (!view.TryOpenColumns(out var columns, out var error))
            throw writer.Corrupt(CorruptionKind.ChunkRecord, record.Offset, error);
        var (failed, refused) = (0, 0);
        while (columns.MoveNext())
        {
            if (columns.Refused) refused++;
            else if (!columns.Succeeded) failed++;
        }

        if (columns.TryGetMark(out var mark)) writer.Part(view.PayloadOffset, $"mark {Hex(mark)}");
        if (failed > 0) writer.Part(view.PayloadOffset, $"{failed} entries failed");
        if (refused > 0) writer.Part(view.PayloadOffset, $"{refused} entries refused");
        WriteOperations(view, writer);
    }

    private static string Describe(in WalRecordView record)
    {
        switch (record.Header.Type)
        {
            case WalRecordType.Chunk:
                return $", {record.Header.EntryCount} entries, {record.Header.OperationCount} operations, columns "
                    + $"{record.Header.Flags}";
            case WalRecordType.Link:
                var link = SegmentLink.Read(record.Payload);
                return $", after segment {link.Segment} up to {link.End}";
            case WalRecordType.Sealed:
                return $", continues in segment {SealedMarker.Read(record.Payload).NextSegment}";
            case WalRecordType.Clean:
                return DescribeCleanUp(record);
            case WalRecordType.Snapshot:
                var snapshot = SnapshotMarker.Read(record.Payload);
                return $", snapshot at index {snapshot.Index}, term {snapshot.Term}, checksum "
                    + Convert.ToHexStringLower(snapshot.Checksum);
            case WalRecordType.Mark:
                return MarkMarker.TryRead(record.Payload, out var mark, out _) ? $", mark {Hex(mark)}" : "";
            default:
                return "";
        }
    }

    private static string DescribeCleanUp(in WalRecordView record)
    {
        if (!CleanUpMarker.TryOpen(record.Payload, out var cleanUp, out var error)) return $", {error.Reason}";
        var text = new System.Text.StringBuilder($", leases up to {cleanUp.Deadline}:");
        var keys = cleanUp.Keys;
        while (keys.MoveNext()) text.Append(' ').Append(DumpWriter.Key(keys.Current));
        return text.ToString();
    }

    private static string Hex(in LogMark mark) => mark.IsEmpty ? "none" : Convert.ToHexStringLower(mark.Bytes);

    private static void WriteOperations(in WalRecordView record, DumpWriter writer)
    {
        var operations = record.Operations;
        while (!writer.IsFull && operations.MoveNext())
        {
            var operation = operations.Current;
            var kind = WalOperation.Read(operation, out var key, out var value, out var deadline);
            var until = kind == RecordKind.LeasedPut ? $", until {deadline}" : "";
            var older = WalOperation.PriorOf(operation);
            writer.Part(
                operations.Offset,
                $"{WalOperation.IndexOf(operation)} {kind} {DumpWriter.Key(key)}, value of {value.Length} bytes{until}"
                    + (older.IsNone ? "" : $", older at {older.Offset}"));
        }

        if (operations.Error.IsFault)
            throw writer.Corrupt(CorruptionKind.Operation, operations.Offset, operations.Error);
    }
}
