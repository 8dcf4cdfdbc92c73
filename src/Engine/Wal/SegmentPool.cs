using System.Buffers.Binary;
using System.Security.Cryptography;
using Varve.Epochs;
using Varve.Format;
using Varve.Storage;

namespace Varve.Wal;

/// <summary>
/// Makes segments and recycles them. A new one is allocated (a full disk is then an ordinary error, not a SIGBUS),
/// synced, named, its directory synced, before it is used. One whose syncs will be waited for is zeroed in 4 KiB writes
/// first: larger ones make the page cache use large folios, of which every small durable commit would write the whole.
/// One that is not can have its pages made present and writable ahead (<see cref="Warm"/>), so that the applier meets
/// no page fault. Safe for any thread.
/// </summary>
internal sealed class SegmentPool(
    IStorage storage, string directory, Guid databaseId, FileNumbers numbers, long length, bool isSynced)
    : IDisposable
{
    /// <summary>How many times as long each next segment is, up to full size, while segments fill.</summary>
    public const int Growth = 16;

    private const int ZeroWrite = 4096;
    private const int UsedMax = 2;
    private const int FullOfResting = 256;   // how many times as long as the first segment a full-sized one is
    private const long RestingLengthMin = 16 << 10;
    private readonly RankedLock _lock = new(LockOrder.SegmentPool);
    private readonly Stack<WalSegment> _used = new();
    private bool _keeps = true;
    private bool _disposed;

    /// <summary>Length of a full-sized segment, the only ones that are kept to be used again.</summary>
    public long Length => length;

    /// <summary>Length of a database's first segment, and of those at rest: little data takes little space.</summary>
    public long RestingLength =>
        Math.Min(length, Math.Max(RestingLengthMin, length / FullOfResting & ~(ZeroWrite - 1L)));

    /// <summary>
    /// A segment with room for at least <paramref name="room"/> bytes of records, numbered above all before it.
    /// </summary>
    /// <param name="room">What it has to hold.</param>
    /// <param name="usual">Its length, up to <see cref="Length"/>, if that is enough; else it is longer by
    /// <see cref="Growth"/>, or a record larger than <see cref="Length"/> has one of its own.</param>
    public WalSegment Take(long room, long usual)
    {
        using (_lock.Enter())
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var least = (WalSegmentHeader.Size + room + ZeroWrite - 1) & ~(ZeroWrite - 1L);
            var bytes = usual;
            while (bytes < least && bytes < length) bytes = Math.Min(bytes * Growth, length);
            bytes = Math.Max(bytes, least);
            if (bytes != length) return Make(bytes);
            _keeps = true;
            return _used.TryPop(out var used) && TryRenew(used) is { } renewed ? renewed : Make(length);
        }
    }

    /// <summary>
    /// Makes the pages of a segment present and writable, and so dirty: they will be written to the device even if it
    /// is never used.
    /// </summary>
    public void Warm(WalSegment segment)
    {
        if (!isSynced) segment.Mapping.Populate(0, segment.Length);
    }

    /// <summary>Takes back a segment whose records are in synced tables and that no pin can see.</summary>
    public void Recycle(WalSegment segment)
    {
        using (_lock.Enter())
        {
            if (_keeps && !_disposed && segment.Length == length && _used.Count < UsedMax)
            {
                _used.Push(segment);
                return;
            }
        }

        Discard(segment);
    }

    /// <summary>Lets go of a segment that nothing needs, and of its file.</summary>
    public void Discard(WalSegment segment)
    {
        segment.Dispose();
        TryDelete(segment.Path);
    }

    /// <summary>Deletes what was taken back, and what is until one is made again.</summary>
    public void LetGo()
    {
        using (_lock.Enter())
        {
            _keeps = false;
            while (_used.TryPop(out var used)) Discard(used);
        }
    }

    public void Dispose()
    {
        using (_lock.Enter())
        {
            _disposed = true;
            while (_used.TryPop(out var used)) Discard(used);
        }
    }

    /// <summary>
    /// A used segment under a new identity; null, and it is gone, where somebody else may have it mapped.
    /// </summary>
    private WalSegment? TryRenew(WalSegment used)
    {
        var header = NewHeader(length);
        var path = PathOf(header.Number);
        try
        {
            if (used.TryRenew(storage, path, header) is { } renewed) return renewed;
            used.Dispose();
            TryDelete(path + FileNames.TemporarySuffix);
            return null;
        }
        catch
        {
            used.Dispose();
            TryDelete(used.Path, path + FileNames.TemporarySuffix, path);
            throw;
        }
    }

    private WalSegment Make(long bytes)
    {
        var header = NewHeader(bytes);
        var path = PathOf(header.Number);
        var temporary = path + FileNames.TemporarySuffix;
        storage.Delete(temporary);
        IStorageFile? file = null;
        try
        {
            file = storage.Open(temporary, FileIntent.CreateNew);
            file.Allocate(bytes);
            Span<byte> page = stackalloc byte[ZeroWrite];
            page.Clear();
            if (isSynced)
                for (long offset = ZeroWrite; offset < bytes; offset += ZeroWrite) file.Write(offset, page);
            header.Encode(page);
            file.Write(0, page);
            file.Sync();
            storage.Rename(temporary, path);
            storage.SyncDirectory(directory);
            var mapping = file.Map(bytes, isSynced ? MappingAccess.SyncedSegment : MappingAccess.Segment);
            return new WalSegment(header, path, file, mapping);
        }
        catch
        {
            file?.Dispose();
            TryDelete(temporary, path);
            throw;
        }
    }

    private void TryDelete(params ReadOnlySpan<string> paths)
    {
        foreach (var path in paths) DurableFile.TryDelete(storage, path);
    }

    private WalSegmentHeader NewHeader(long bytes)
    {
        Span<byte> salt = stackalloc byte[8];
        RandomNumberGenerator.Fill(salt);
        return new WalSegmentHeader(databaseId, numbers.Next(), BinaryPrimitives.ReadUInt64LittleEndian(salt), bytes);
    }

    private string PathOf(ulong number) => System.IO.Path.Combine(directory, FileNames.Segment(number));
}
