using System.Buffers.Binary;
using Varve.Format;
using Varve.Storage;
using Varve.Tests.Shared.Disk;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Tests.Corruption.Golden;

/// <summary>A record of the log in its segment, and the position before it.</summary>
internal sealed record LogRecord(string Path, ulong Segment, WalRecordHeader Header, ulong IndexBefore);

/// <summary>
/// The content of an intact database's segments, read without recovery's code: the chain, the part that later records
/// prove durable, the prepared segments, and the stale ones.
/// </summary>
internal sealed class SegmentMap
{
    private SegmentMap(ManifestContent manifest) => Manifest = manifest;

    public ManifestContent Manifest { get; }

    /// <summary>The log's records in order, links and notes too.</summary>
    public List<LogRecord> Records { get; } = [];

    public List<string> Chain { get; } = [];

    /// <summary>Segments below the first one needed.</summary>
    public List<string> Stale { get; } = [];

    /// <summary>The segments above the chain: made, and not used yet.</summary>
    public List<string> Ready { get; } = [];

    /// <summary>The furthest place that a record says was durable.</summary>
    public LogOffset Vouched { get; private set; }

    /// <summary>True if no later record would prove this one durable after damage.</summary>
    public bool IsInGap(LogRecord record) =>
        new LogOffset(record.Segment, record.Header.Offset).CompareTo(Vouched) >= 0;

    public static SegmentMap Of(SimFs disk, string directory)
    {
        var map = new SegmentMap(ReadManifest(disk, directory));
        ulong before = map.Manifest.State.LastIndex, last = 0;
        foreach (var path in disk.Files(directory)
            .Where(path => path.EndsWith(FileNames.SegmentSuffix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal))
        {
            var bytes = disk[path].AsSpan();
            if (!WalSegmentHeader.TryDecode(bytes, out var header, out _) || header.Number < map.Manifest.FirstSegment)
            {
                map.Stale.Add(path);
                continue;
            }

            long offset = WalSegmentHeader.Size;
            var isLinked = WalRecordHeader.TryRead(bytes[(int)offset..], offset, header.Salt, out var link, out _)
                && link.Type == WalRecordType.Link
                && (map.Chain.Count == 0 || BinaryPrimitives.ReadUInt64LittleEndian(
                    bytes[(WalSegmentHeader.Size + WalRecordHeader.Size)..]) == last);
            if (!isLinked)
            {
                map.Ready.Add(path);
                continue;
            }

            map.Chain.Add(path);
            last = header.Number;
            while (WalRecordHeader.TryRead(bytes[(int)offset..], offset, header.Salt, out var record, out _))
            {
                map.Records.Add(new LogRecord(path, header.Number, record, before));
                before = Math.Max(before, record.LastIndex);
                var vouched = new LogOffset(record.SyncedSegment, record.SyncedOffset);
                if (vouched > map.Vouched) map.Vouched = vouched;
                offset += record.Length;
            }
        }

        return map;
    }

    private static ManifestContent ReadManifest(SimFs disk, string directory)
    {
        var content = new ManifestContent();
        foreach (var (_, _, edit) in ManifestRecords.Of(disk, directory, out _)) content.Apply(edit);
        return content;
    }
}

/// <summary>The records of the manifest that CURRENT names.</summary>
internal static class ManifestRecords
{
    public static List<(long Offset, long End, VersionEdit Edit)> Of(SimFs disk, string directory, out string path)
    {
        PointerFile.TryDecode(
            disk[System.IO.Path.Combine(directory, FileNames.Current)], out var current, out _);
        path = System.IO.Path.Combine(directory, FileNames.Manifest(current.ManifestNumber));
        var bytes = disk[path].AsSpan();
        ManifestLog.TryDecodeHeader(bytes, out _, out var salt, out _);
        var records = new List<(long, long, VersionEdit)>();
        for (long offset = ManifestLog.HeaderSize;
            ManifestLog.TryReadRecord(bytes, offset, salt, out var payload, out var next) == ManifestReadResult.Record;
            offset = next)
        {
            if (!VersionEditCodec.TryDecode(payload, out var edit, out var error))
                throw new InvalidDataException(error.Reason);
            records.Add((offset, next, edit));
        }

        return records;
    }
}
