using System.Buffers.Binary;
using Varve.Format;

namespace Varve.Cli.Dump;

/// <summary>Dumps a WAL segment up to its end: the first place without a valid record.</summary>
internal static class WalDump
{
    public static void Write(ReadOnlySpan<byte> file, DumpWriter writer)
    {
        if (!WalSegmentHeader.TryDecode(file, out var segment, out var error))
            throw writer.Corrupt("segment header", 0, error);
        writer.Line(
            0,
            $"segment {segment.Number} of database {segment.DatabaseId}, {segment.Length} bytes, salt "
                + $"{segment.Salt:x16}");

        long offset = WalSegmentHeader.Size;
        while (offset < file.Length && !writer.IsFull)
        {
            if (!WalRecordHeader.TryRead(file[(int)offset..], offset, segment.Salt, out var record, out error))
            {
                if (error.IsUnsupported) throw writer.Corrupt("record", offset, error);
                var rest = file[(int)offset..];
                writer.Line(offset, rest.ContainsAnyExcept((byte)0)
                    ? $"end: no valid record ({error.Reason}); {rest.Length} bytes follow"
                    : $"end: {rest.Length} bytes of zeros");
                return;
            }

            WriteRecord(file.Slice((int)offset, record.Length), record, writer);
            offset += record.Length;
        }
    }

    private static void WriteRecord(ReadOnlySpan<byte> bytes, in WalRecordHeader record, DumpWriter writer)
    {
        var common =
            $"{record.Type}, {record.Length} bytes, index {record.FirstIndex}..{record.LastIndex}, term {record.Term}, "
                + $"log time {record.LogTimeMs}, synced to {record.SyncedSegment}:{record.SyncedOffset}";
        var payload = bytes.Slice(WalRecordHeader.Size, record.PayloadLength);
        writer.Line(record.Offset, record.Type switch
        {
            WalRecordType.Chunk =>
                $"{common}, {record.EntryCount} entries, {record.OperationCount} operations, columns {record.Flags}",
            WalRecordType.Link => $"{common}, after segment {U64(payload)} up to {U64(payload[8..])}",
            WalRecordType.Sealed => $"{common}, goes on in segment {U64(payload)}",
            WalRecordType.Clean => $"{common}, leases up to {U64(payload)}",
            WalRecordType.Snapshot =>
                $"{common}, snapshot at index {U64(payload)}, term {U64(payload[8..])}, checksum "
                    + $"{Convert.ToHexStringLower(payload[16..48])}",
            _ => common,
        });
        if (record.Type != WalRecordType.Chunk) return;
        if (!ChunkColumns.TryOpen(payload, record, out var columns, out var error))
            throw writer.Corrupt("chunk record", record.Offset, error);
        var (failed, refused) = (0, 0);
        while (columns.MoveNext())
        {
            if (columns.Refused) refused++;
            else if (!columns.Succeeded) failed++;
        }

        if (failed > 0) writer.Part(record.Offset + WalRecordHeader.Size, $"{failed} entries failed");
        if (refused > 0) writer.Part(record.Offset + WalRecordHeader.Size, $"{refused} entries refused");
        WriteOperations(bytes, record, writer);
    }

    private static void WriteOperations(ReadOnlySpan<byte> bytes, in WalRecordHeader record, DumpWriter writer)
    {
        var at = WalRecordHeader.Size + record.PayloadLength;
        for (var i = 0; i < record.OperationCount && !writer.IsFull; i++)
        {
            var operation = bytes[at..];
            if (!WalOperation.TryMeasure(operation, out var size, out var error))
                throw writer.Corrupt("operation", record.Offset + at, error);
            var kind = (RecordKind)operation[18];
            var valueLength = BinaryPrimitives.ReadInt32LittleEndian(operation[12..]);
            var key = operation.Slice(
                WalOperation.HeaderSize, BinaryPrimitives.ReadUInt16LittleEndian(operation[16..]));
            var deadline = kind == RecordKind.LeasedPut
                ? $", until {U64(operation[(WalOperation.HeaderSize + key.Length + valueLength)..])}"
                : "";
            var older = BinaryPrimitives.ReadUInt32LittleEndian(operation[8..]);
            writer.Part(
                record.Offset + at,
                $"{U64(operation)} {kind} {DumpWriter.Key(key)}, value of {valueLength} bytes{deadline}"
                    + (older == 0 ? "" : $", older at {(long)older * WalOperation.Alignment}"));
            at += size;
        }
    }

    private static ulong U64(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadUInt64LittleEndian(source);
}
