using System.Runtime.InteropServices;
using Varve.Contract;
using Varve.Format;
using Varve.Storage;

namespace Varve.Wal;

/// <summary>
/// One mapped file of the log: the storage of one memtable. One thread at a time appends. Bytes below
/// <see cref="End"/> do not change until the segment is recycled, which waits for every pin (I8).
/// </summary>
internal sealed class WalSegment : IDisposable
{
    private IStorageFile? _file;
    private long _visible;

    public WalSegment(WalSegmentHeader header, string path, IStorageFile? file, IMapping mapping)
    {
        Header = header;
        Path = path;
        _file = file;
        Mapping = mapping;
        End = WalSegmentHeader.Size;
    }

    /// <summary>Opens and maps a segment; checks its header against its name, database and length.</summary>
    /// <exception cref="CorruptionException">The header is damaged, or contradicts one of these.</exception>
    /// <exception cref="UnsupportedFormatException">Another build wrote the segment.</exception>
    public static WalSegment Open(IStorage storage, string path, ulong number, Guid databaseId, MappingAccess access)
    {
        var file = storage.Open(path, access == MappingAccess.Table ? FileIntent.Read : FileIntent.ReadWrite);
        try
        {
            Span<byte> page = stackalloc byte[WalSegmentHeader.EncodedSize];
            if (file.Length < WalSegmentHeader.Size)
                throw CorruptionException.Of(
                    path, file.Length, CorruptionKind.Segment, "file is shorter than a header page");
            file.Read(0, page);
            if (!WalSegmentHeader.TryDecode(page, out var header, out var error))
                throw DecodeFailure.Of(path, 0, CorruptionKind.SegmentHeader, error);
            if (header.Number != number)
                throw CorruptionException.Of(
                    path, WalSegmentHeader.NumberField, CorruptionKind.SegmentHeader,
                    $"number is {header.Number}, the file name says {number}", $"{number}", $"{header.Number}");
            if (header.DatabaseId != databaseId)
                throw CorruptionException.Of(
                    path, WalSegmentHeader.DatabaseIdField, CorruptionKind.SegmentHeader,
                    $"database id is {header.DatabaseId}, IDENTITY says {databaseId}", $"{databaseId}",
                    $"{header.DatabaseId}");
            if (file.Length != header.Length)
                throw CorruptionException.Of(
                    path,
                    file.Length,
                    CorruptionKind.Segment,
                    $"file length is {file.Length}, header says {header.Length}",
                    $"{header.Length}",
                    $"{file.Length}");
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

    public WalSegmentHeader Header { get; }

    public ulong Number => Header.Number;

    public string Path { get; }

    public long Length => Header.Length;

    /// <summary>Offset of the next record.</summary>
    public long End { get; set; }

    /// <summary>
    /// Offset of the last record that has changes, a chunk's or a clean-up's; 0 if there is none. Written by the
    /// appender.
    /// </summary>
    public long LastChange { get; set; }

    /// <summary>
    /// The end of the records that readers of changes may see, while this is the log's last segment that has some.
    /// </summary>
    public ref long Visible => ref _visible;

    /// <summary>The end of the log, if this is its last segment.</summary>
    public LogOffset LogEnd => new(Number, End);

    public IMapping Mapping { get; }

    // SAFETY: these members reach into the mapping, which lives until Dispose; the caller holds a pin, a hold or a
    // reference that comes before it. Offsets are within the segment: readers pass ends of records that were checked
    // against its length, and an appender has reserved its room below it.
    public unsafe byte* Base => Mapping.Address;

    /// <summary>Bytes of the segment from an offset on, at most as many as a record may have.</summary>
    public unsafe ReadOnlySpan<byte> From(long offset) =>
        MemoryMarshal.CreateReadOnlySpan(ref Base[offset], (int)Math.Min(Length - offset, int.MaxValue));

    /// <summary>Writable bytes, for the one appender.</summary>
    public unsafe Span<byte> SpanAt(long offset, int length) => MemoryMarshal.CreateSpan(ref Base[offset], length);

    /// <summary>A walk over the records between two offsets.</summary>
    public unsafe WalRecordReader Records(long from, long to) => new(in *Base, to, Header.Salt, from);

    /// <summary>A walk over the records from an offset on.</summary>
    public WalRecordReader Records(long from = WalSegmentHeader.Size) => Records(from, Length);

    /// <summary>Writes through the file; the mapping shows it at once.</summary>
    public void Write(long offset, ReadOnlySpan<byte> bytes) => _file!.Write(offset, bytes);

    /// <summary>Has the device begin to write a range. Only <see cref="Sync()"/> makes it durable.</summary>
    public void BeginSync(long offset, long length) => _file!.BeginSync(offset, length);

    /// <summary>
    /// Clears the offset field at an offset, so that the old bytes of a recycled file do not look like a record begun
    /// there.
    /// </summary>
    // SAFETY: the length check leaves 16 bytes within the mapping; the field is the second eight of them.
    public unsafe void Terminate(long offset)
    {
        if (Length - offset >= 2 * sizeof(long)) *(long*)(Base + offset + WalRecordHeader.OffsetField) = 0;
    }

    /// <summary>The link of a segment that continues the log at this one's end.</summary>
    public SegmentLink LinkToEnd => new(Number, End, Header.Salt);

    /// <summary>The record of a header that was read from this segment.</summary>
    public WalRecordView RecordOf(in WalRecordHeader header) => new(header, From(header.Offset));

    /// <summary>True if the segment's first record links to the end of <paramref name="previous"/>.</summary>
    public bool LinksTo(WalSegment previous)
    {
        var records = Records();
        return records.MoveNext() && records.Current.Header.Type == WalRecordType.Link
            && SegmentLink.Read(records.Current.Payload) == previous.LinkToEnd;
    }

    /// <summary>
    /// Moves <see cref="End"/> forward over valid records; gives the segment that the last of them names as the log's
    /// continuation, or null.
    /// </summary>
    /// <param name="synced">Raised to the farthest sync that a record knows.</param>
    /// <param name="error">The reason why no valid record begins at the end.</param>
    public ulong? FindEnd(ref LogOffset synced, out DecodeError error)
    {
        ulong? continuesIn = null;
        var records = Records(End);
        while (records.MoveNext())
        {
            ref readonly var record = ref records.Current;
            var known = new LogOffset(record.Header.SyncedSegment, record.Header.SyncedOffset);
            if (known > synced) synced = known;
            continuesIn = record.Header.Type == WalRecordType.Sealed
                ? SealedMarker.Read(record.Payload).NextSegment : null;
        }

        (End, error) = (records.Next, records.Error);
        return continuesIn;
    }

    /// <summary>Reads the record at an offset; false if none there is valid.</summary>
    public bool TryReadRecord(long offset, out WalRecordHeader header, out DecodeError error) =>
        WalRecordHeader.TryRead(From(offset), offset, Header.Salt, out header, out error);

    /// <summary>Makes the segment durable.</summary>
    public void Sync() => _file?.Sync();

    /// <summary>Makes a range durable; does not write pages behind it that were only made present.</summary>
    public void Sync(long from, long to)
    {
        if (from < to) _file?.Sync(Mapping, from, to - from);
    }

    /// <summary>
    /// Stores every page of a range back to itself: after a crash the page cache may hold pages that an earlier, failed
    /// sync marked clean without writing them (docs/DURABILITY.md), and only a dirty page is written by the next sync.
    /// </summary>
    // SAFETY: the loop ends below `to`, which lies within the segment; a page's first byte is at or before it.
    public unsafe void Redirty(long from, long to)
    {
        const int PageSize = 4096;
        for (var page = from & ~(PageSize - 1L); page < to; page += PageSize)
        {
            ref var cell = ref Base[page];
            Volatile.Write(ref cell, Volatile.Read(ref cell));
        }

        Mapping.Dirtied(from, to - from);
    }

    /// <summary>
    /// Recycles file and mapping under a new identity, durably: the new salt keeps old records from passing. The header
    /// changes while the file has a temporary name; under a segment's name recovery would find another number in it and
    /// report corruption. Null if another process may have the file mapped (I8), which is asked once no name leads to
    /// it; the file keeps its temporary name then.
    /// </summary>
    /// <param name="storage">The file system.</param>
    /// <param name="path">The new name.</param>
    /// <param name="header">The new header, of the same length and with a number never used before (I6).</param>
    public WalSegment? TryRenew(IStorage storage, string path, WalSegmentHeader header)
    {
        var file = _file!;
        var directory = System.IO.Path.GetDirectoryName(path)!;
        var temporary = path + FileNames.TemporarySuffix;
        storage.Rename(Path, temporary);
        if (DirectoryClaim.IsShared(storage, directory)) return null;
        storage.SyncDirectory(directory);
        header.Encode(SpanAt(0, WalSegmentHeader.Size));
        Mapping.Dirtied(0, WalSegmentHeader.Size);
        Mapping.Sync(0, WalSegmentHeader.Size); // the header alone: what else is dirty in it is stale
        storage.Rename(temporary, path);
        storage.SyncDirectory(directory);
        _file = null;
        return new WalSegment(header, path, file, Mapping);
    }

    public void Dispose()
    {
        _file?.Dispose();
        Mapping.Dispose();
    }
}
