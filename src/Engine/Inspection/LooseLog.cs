using Varve.Format;
using Varve.Storage;

namespace Varve.Inspection;

/// <summary>
/// The log of a database without a readable manifest, which would name the first segment.
/// </summary>
internal static class LooseLog
{
    /// <summary>
    /// Returns the oldest segment whose chain of links reaches the newest one. A segment before a gap is left out:
    /// tables hold it and the deleted segments after it, so a replay would bring back old versions.
    /// </summary>
    public static ulong? FirstSegment(IStorage storage, string directory, IEnumerable<ulong> segments)
    {
        ulong? first = null;
        foreach (var number in segments.OrderDescending())
        {
            if (first is { } after && number != PreviousOf(storage, directory, after)) continue;
            if (first is not null || PreviousOf(storage, directory, number) is not null) first = number;
        }

        return first ?? (segments.Any() ? segments.Min() : null);
    }

    /// <summary>The segment that a segment link names; 0: it is the first; null: there is no link.</summary>
    private static ulong? PreviousOf(IStorage storage, string directory, ulong number)
    {
        var start = new byte[WalSegmentHeader.Size + WalMarker.SizeOf(WalRecordType.Link)];
        using var file = storage.Open(Path.Combine(directory, FileNames.Segment(number)), FileIntent.Read);
        if (file.Length < start.Length) return null;
        file.Read(0, start);
        if (!WalSegmentHeader.TryDecode(start, out var header, out _)) return null;
        var records = new WalRecordReader(start, header.Salt);
        return records.MoveNext() && records.Current.Header.Type == WalRecordType.Link
            ? SegmentLink.Read(records.Current.Payload).Segment : null;
    }
}
