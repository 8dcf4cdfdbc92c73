using Varve.Contract;
using Varve.Format;
using Varve.Storage;

namespace Varve.Wal;

/// <summary>How the log ended.</summary>
internal enum LogEnding
{
    /// <summary>After a whole record, with nothing after it.</summary>
    Clean,

    /// <summary>Records that were never known to be durable were lost at its end; they were dropped.</summary>
    TornTail,

    /// <summary>
    /// Where what had been durable is damaged. Reported when it was found; nobody goes on from here but an inspection.
    /// </summary>
    Corrupt,

    /// <summary>
    /// At, or before, an intact record that this build does not know. Reported when it was found; only an inspection
    /// sees this.
    /// </summary>
    Unsupported,
}

/// <summary>What recovery found: the segments of the log in order, each with its end set.</summary>
/// <param name="Segments">The chain.</param>
/// <param name="Unused">Segments that are there and not of the chain.</param>
/// <param name="Ending">How it ended.</param>
/// <param name="IsSealed">Its last record says that it goes on, in a segment that is there and holds nothing of it:
/// nothing may follow on it but another segment.</param>
/// <param name="TornBytes">Bytes that were dropped.</param>
/// <param name="Synced">How far it is known to have been durable.</param>
internal sealed record RecoveredLog(
    List<WalSegment> Segments, List<WalSegment> Unused, LogEnding Ending, bool IsSealed, long TornBytes,
    LogOffset Synced);

/// <summary>
/// Follows the log from its first segment to its end.
/// <para>
/// The log is a chain: each segment's first record, its link, names the segment and the offset that it follows on.
/// Reading goes to the first invalid record X and then to the segment whose link names exactly X; where there is none,
/// X is the end. Whether the end is a torn tail or corruption is decided by what is known to have been durable: every
/// record carries how far the log was synced when it was written, so if any valid record anywhere says that something
/// at or after X was synced, then X was damaged after it was durable, and the log is corrupt. Otherwise nothing
/// acknowledged as durable is missing, and the tail is dropped: the next link will name X as its end, so that what lies
/// beyond can never come back.
/// </para>
/// <para>
/// An intact record that this build does not know, at X or beyond it, is another build's: what it says of the log, of
/// what was durable too, cannot be read, so that neither an end nor damage can be told. The log is unsupported then.
/// </para>
/// </summary>
internal static class WalRecovery
{
    /// <summary>
    /// Maps and orders the segments from <paramref name="first"/> on; a damaged header is corruption, for it was synced
    /// before it was named.
    /// </summary>
    /// <exception cref="CorruptionException">What is durable of the log is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">A segment, or a record, is another build's.</exception>
    public static RecoveredLog Run(
        IStorage storage, string directory, Guid databaseId, ulong first, MappingAccess access) =>
        Run(storage, directory, databaseId, first, access, static damage => throw damage);

    /// <summary>
    /// As the other, but gives each damage to <paramref name="report"/> and goes on without the part; the chain may be
    /// empty then.
    /// </summary>
    public static RecoveredLog Run(
        IStorage storage, string directory, Guid databaseId, ulong first, MappingAccess access,
        Action<VarveException> report)
    {
        var all = new List<WalSegment>();
        try
        {
            foreach (var name in storage.List(directory))
            {
                if (!FileNames.TryParse(name, FileNames.SegmentSuffix, out var number) || number < first) continue;
                try
                {
                    all.Add(OpenSegment(storage, System.IO.Path.Combine(directory, name), number, databaseId, access));
                }
                catch (VarveException damage) when (damage is CorruptionException or UnsupportedFormatException)
                {
                    report(damage);
                }
            }

            all.Sort((a, b) => a.Number.CompareTo(b.Number));
            return Follow(all, System.IO.Path.Combine(directory, FileNames.Segment(first)), first, report);
        }
        catch
        {
            foreach (var segment in all) segment.Dispose();
            throw;
        }
    }

    /// <summary>Maps a segment.</summary>
    public static WalSegment OpenSegment(
        IStorage storage, string path, ulong number, Guid databaseId, MappingAccess access)
    {
        var file = storage.Open(path, access == MappingAccess.Table ? FileIntent.Read : FileIntent.ReadWrite);
        try
        {
            Span<byte> page = stackalloc byte[64];
            if (file.Length < WalSegmentHeader.Size)
                throw CorruptionException.Of(path, file.Length, "segment", "file is shorter than a header page");
            file.Read(0, page);
            if (!WalSegmentHeader.TryDecode(page, out var header, out var error))
                throw DecodeFailure.Of(path, 0, "segment header", error);
            if (header.Number != number)
                throw CorruptionException.Of(
                    path, 32, "segment header", $"number is {header.Number}, the file name says {number}", $"{number}",
                    $"{header.Number}");
            if (header.DatabaseId != databaseId)
                throw CorruptionException.Of(
                    path, 16, "segment header", $"database id is {header.DatabaseId}, IDENTITY says {databaseId}",
                    $"{databaseId}", $"{header.DatabaseId}");
            if (file.Length != header.Length)
                throw CorruptionException.Of(
                    path, file.Length, "segment", $"file length is {file.Length}, header says {header.Length}",
                    $"{header.Length}", $"{file.Length}");
            var mapping = file.Map(header.Length, access);
            if (access != MappingAccess.Table) return new WalSegment(header, path, file, mapping);
            file.Dispose();
            return new WalSegment(header, path, null, mapping);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static RecoveredLog Follow(
        List<WalSegment> all, string firstPath, ulong first, Action<VarveException> report)
    {
        if (all.Count == 0 || all[0].Number != first)
        {
            report(CorruptionException.Of(
                firstPath, 0, "log", "the first segment that the manifest names cannot be read"));
            return new RecoveredLog([], all, LogEnding.Corrupt, false, 0, default);
        }

        var chain = new List<WalSegment> { all[0] };
        var synced = default(LogOffset);
        ulong? goesOnIn;
        long tornBytes;
        bool laterRecords;
        UnsupportedFormatException? foreign;
        do
        {
            goesOnIn = ReadToEnd(all, chain, ref synced, out var error);
            if (error.IsUnsupported)
            {
                report(DecodeFailure.Of(chain[^1].Path, chain[^1].End, "record", error));
                return new RecoveredLog(
                    chain, all.FindAll(segment => !chain.Contains(segment)), LogEnding.Unsupported, false, 0, synced);
            }

            (tornBytes, laterRecords) = LookBeyond(all, chain, ref synced, out foreign);
            Volatile.ReadBarrier();
        }
        // A writer beside this reader wrote it meanwhile, and perhaps what lies beyond.
        while (chain[^1].TryReadRecord(chain[^1].End, out _, out _));

        var last = chain[^1];
        var end = last.LogEnd;
        var unused = all.FindAll(segment => !chain.Contains(segment));
        if (foreign is not null)
        {
            report(foreign);
            return new RecoveredLog(chain, unused, LogEnding.Unsupported, false, 0, synced);
        }

        if (synced > end)
        {
            report(CorruptionException.Of(
                last.Path, last.End, "log",
                $"no valid record, and the log was durable up to segment {synced.Segment}, offset {synced.Offset}"));
        }

        // It was there, durably, before it was named; and where the log does not go on in it, another names its end
        // before it is let go.
        var isMissing = goesOnIn is { } number && all.TrueForAll(segment => segment.Number != number);
        if (isMissing)
        {
            report(CorruptionException.Of(
                System.IO.Path.Combine(System.IO.Path.GetDirectoryName(last.Path)!, FileNames.Segment(goesOnIn!.Value)),
                0,
                "log",
                $"cannot be read, and the log goes on in it after {FileNames.Segment(last.Number)}"));
        }

        var ending = synced > end
            || isMissing ? LogEnding.Corrupt : laterRecords || tornBytes > 0 ? LogEnding.TornTail : LogEnding.Clean;
        return new RecoveredLog(chain, unused, ending, goesOnIn is not null, tornBytes, synced);
    }

    /// <summary>
    /// Follows the chain from where its last segment was left, to the first record that is none, and says what is wrong
    /// with that; gives the segment in which the last record says that the log goes on.
    /// </summary>
    private static ulong? ReadToEnd(
        List<WalSegment> all, List<WalSegment> chain, ref LogOffset synced, out DecodeError error)
    {
        while (true)
        {
            var current = chain[^1];
            var goesOnIn = ReadToEnd(current, ref synced, out error);
            var next = error.IsUnsupported
                ? null
                : all.Find(candidate => candidate.Number > current.Number && LinksTo(candidate, current));
            if (next is null) return goesOnIn;
            chain.Add(next);
        }
    }

    /// <summary>
    /// Finds a segment's end, from where it was left, and what is wrong with a record there; gives the segment in which
    /// its last record says that the log goes on.
    /// </summary>
    public static ulong? ReadToEnd(WalSegment segment, ref LogOffset synced, out DecodeError error)
    {
        ulong? continuesIn = null;
        var records = segment.Records(segment.End);
        while (records.MoveNext())
        {
            ref readonly var record = ref records.Current;
            Raise(record.Header, ref synced);
            continuesIn = record.Header.Type == WalRecordType.Sealed
                ? SealedMarker.Read(record.Payload).NextSegment : null;
        }

        (segment.End, error) = (records.Next, records.Error);
        return continuesIn;
    }

    /// <summary>Whether a segment's first record says that it follows on another, where that one ends.</summary>
    public static bool LinksTo(WalSegment candidate, WalSegment previous)
    {
        var records = candidate.Records();
        return records.MoveNext() && records.Current.Header.Type == WalRecordType.Link
            && SegmentLink.Read(records.Current.Payload) == previous.LinkToEnd;
    }

    /// <summary>
    /// Looks for valid records that are not part of the chain, for what they know to have been durable; and for one of
    /// another build.
    /// </summary>
    private static (long TornBytes, bool LaterRecords) LookBeyond(
        List<WalSegment> all, List<WalSegment> chain, ref LogOffset synced, out UnsupportedFormatException? foreign)
    {
        foreign = null;
        var last = chain[^1];
        var later = false;
        var torn = 0L;
        foreach (var segment in all)
        {
            var inChain = chain.Contains(segment);
            if (inChain && segment != last) continue;
            if (segment.Number < last.Number) continue;
            var from = segment == last ? segment.End : WalSegmentHeader.Size;
            var scan = new TailScan(segment);
            scan.Run(from);
            if (scan.Foreign is { } record)
                foreign ??= new UnsupportedFormatException(segment.Path, record.Offset, record.Reason);
            if (scan.End < 0) continue;
            later = true;
            if (scan.Synced > synced) synced = scan.Synced;
            if (segment == last) torn = scan.End - last.End;
        }

        // A record begun but never sealed has its offset in place or not; without a checksum it is nothing but bytes.
        if (!later)
            torn = WalRecordHeader.UnfinishedBytes(last.From(last.End), last.End, last.Length - last.End);
        return (torn, later);
    }

    /// <summary>
    /// Valid records at or after an offset, in order, wherever they begin; of hostile bytes as many as
    /// <see cref="TailScan"/> finds.
    /// </summary>
    public static List<WalRecordHeader> RecordsFrom(WalSegment segment, long from)
    {
        var found = new List<WalRecordHeader>();
        var scan = new TailScan(segment) { Found = found };
        scan.Run(from);
        found.Sort((x, y) => x.Offset.CompareTo(y.Offset));
        return found;
    }

    private static void Raise(in WalRecordHeader header, ref LogOffset synced)
    {
        var known = new LogOffset(header.SyncedSegment, header.SyncedOffset);
        if (known > synced) synced = known;
    }
}
