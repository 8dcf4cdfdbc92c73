using System.Runtime.InteropServices;
using Varve.Format;
using Varve.Storage;

namespace Varve.Wal;

/// <summary>
/// One mapped file of the log: the storage of one memtable. Appended to by one thread at a time; what lies below
/// <see cref="End"/> never changes again until the segment is recycled, which waits for every pin.
/// </summary>
internal sealed unsafe class WalSegment : IDisposable
{
    private IStorageFile? _file;

    public WalSegment(WalSegmentHeader header, string path, IStorageFile? file, IMapping mapping)
    {
        Header = header;
        Path = path;
        _file = file;
        Mapping = mapping;
        End = WalSegmentHeader.Size;
    }

    public WalSegmentHeader Header { get; }

    public ulong Number => Header.Number;

    public string Path { get; }

    public long Length => Header.Length;

    /// <summary>Where the next record goes.</summary>
    public long End { get; set; }

    /// <summary>Where the log ends, if this is its last segment.</summary>
    public LogOffset LogEnd => new(Number, End);

    public IMapping Mapping { get; }

    public byte* Base => Mapping.Address;

    /// <summary>Bytes of the segment from an offset on, at most a record's worth.</summary>
    public ReadOnlySpan<byte> From(long offset) =>
        MemoryMarshal.CreateReadOnlySpan(ref Base[offset], (int)Math.Min(Length - offset, int.MaxValue));

    /// <summary>Writable bytes, for the one appender.</summary>
    public Span<byte> Room(long offset, int length) => MemoryMarshal.CreateSpan(ref Base[offset], length);

    /// <summary>Writes through the file; the mapping shows it at once.</summary>
    public void Write(long offset, ReadOnlySpan<byte> bytes) => _file!.Write(offset, bytes);

    /// <summary>
    /// Has the device begin to write a range; says nothing of its end, which only <see cref="Sync()"/> does.
    /// </summary>
    public void BeginSync(long offset, long length) => _file!.BeginSync(offset, length);

    /// <summary>
    /// Sees to it that what a recycled file has at an offset does not look like a record begun there.
    /// </summary>
    public void Terminate(long offset)
    {
        if (Length - offset >= 2 * sizeof(long)) *(long*)(Base + offset + sizeof(long)) = 0;
    }

    /// <summary>The link of a segment that continues the log at this one's end.</summary>
    public SegmentLink LinkToEnd => new(Number, End, Header.Salt);

    /// <summary>A walk over the records from an offset on.</summary>
    public WalRecordReader Records(long from = WalSegmentHeader.Size) => new(in *Base, Length, Header.Salt, from);

    /// <summary>The record of a header that was read from this segment.</summary>
    public WalRecordView RecordOf(in WalRecordHeader header) => new(header, From(header.Offset));

    /// <summary>Reads the record at an offset; false where none is valid.</summary>
    public bool TryReadRecord(long offset, out WalRecordHeader header, out DecodeError error) =>
        WalRecordHeader.TryRead(From(offset), offset, Header.Salt, out header, out error);

    /// <summary>Makes the segment durable.</summary>
    public void Sync() => _file?.Sync();

    /// <summary>
    /// Makes what was stored to a range durable, and leaves alone the pages behind it that were only made present.
    /// </summary>
    public void Sync(long from, long to)
    {
        if (from < to) _file?.Sync(Mapping, from, to - from);
    }

    /// <summary>
    /// Stores every page of a range back to itself: after a crash the page cache may hold pages that an earlier, failed
    /// sync marked clean without writing them (docs/DURABILITY.md), and only a dirty page is written by the next sync.
    /// </summary>
    public void Redirty(long from, long to)
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
    /// The same file and mapping under a new identity, durably: what was in it can never pass as a record again. The
    /// header changes while the file has a temporary name: recovery would meet another number than its name's
    /// otherwise, and call that corruption. Null, with the file under its temporary name, where somebody else may have
    /// it mapped; asked once it has no other name, under which somebody could still find it.
    /// </summary>
    /// <param name="storage">Where it lives.</param>
    /// <param name="path">Its new name.</param>
    /// <param name="header">Its new header; of the same length.</param>
    public WalSegment? TryRenew(IStorage storage, string path, WalSegmentHeader header)
    {
        var file = _file!;
        var directory = System.IO.Path.GetDirectoryName(path)!;
        var temporary = path + FileNames.TemporarySuffix;
        storage.Rename(Path, temporary);
        if (DirectoryClaim.IsShared(storage, directory)) return null;
        storage.SyncDirectory(directory);
        header.Encode(Room(0, WalSegmentHeader.Size));
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
