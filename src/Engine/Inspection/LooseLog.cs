using Varve.Format;
using Varve.Storage;

namespace Varve.Inspection;

/// <summary>
/// The log of a database whose manifest is lost, so that nothing says where what the tables lack begins.
/// </summary>
internal static class LooseLog
{
    /// <summary>
    /// The oldest segment from which links lead without a gap to the newest one. One before a gap is left out: it is in
    /// tables already, and so is what came after it and is gone; read again, it would bring back old versions.
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

    /// <summary>The segment that a segment's link names; 0: none before it; null: there is no link.</summary>
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
