using Varve.Format;
using Varve.Tests.Engine.Recovery;

namespace Varve.Tests.Engine.Changes;

/// <summary>The record of a clean-up as builds before the change feed wrote it, at the end of a closed log.</summary>
internal static class EarlierCleanUp
{
    public static void Append(Database database)
    {
        var path = database.LastSegment();
        var last = Database.Records(path)[^1];
        var bytes = File.ReadAllBytes(path);
        WalSegmentHeader.TryDecode(bytes, out var segment, out _);
        var record = new byte[WalMarker.SizeOf(WalRecordType.Clean)];
        BitConverter.TryWriteBytes(record.AsSpan(WalRecordHeader.Size), 77UL);
        (last with
        {
            Offset = last.Offset + last.Length,
            Length = record.Length,
            FirstIndex = last.LastIndex,
            EntryCount = 0,
            OperationCount = 0,
            PayloadLength = sizeof(ulong),
            Type = WalRecordType.Clean,
            Flags = 0,
        }).Finish(record, segment.Salt);
        using var file = File.OpenWrite(path);
        file.Position = last.Offset + last.Length;
        file.Write(record);
    }
}
