using System.Buffers.Binary;
using System.Security.Cryptography;
using Varve.Epochs;
using Varve.Format;
using Varve.Storage;

namespace Varve.Wal;

/// <summary>
/// Makes segments and recycles them. Before a new segment is used, the pool allocates it (so that a full disk is an
/// ordinary error, not a SIGBUS), syncs it, names it, and syncs its directory. If commits will wait for syncs, the pool
/// zeroes it in 4 KiB writes first: larger writes make the page cache use large folios, and every small durable commit
/// would write a whole one. If not, the pool can make its pages present and writable ahead (<see cref="Warm"/>), which
/// spares the applier page faults. Safe for any thread.
/// </summary>
internal sealed class SegmentPool(
    IStorage storage, string directory, Guid databaseId, FileNumbers numbers, long length, bool isSynced)
    : IDisposable
{
    /// <summary>While segments fill, each is this many times as long as the one before it, up to full size.</summary>
    public const int Growth = 16;

    private const int ZeroWrite = 4096;
    private const int UsedMax = 2;
    private const int FullOfResting = 256;   // how many times as long as the first segment a full-sized one is
    private const long RestingLengthMin = 16 << 10;
    private readonly RankedLock _lock = new(LockOrder.SegmentPool);
    private readonly Stack<WalSegment> _used = new();
    private bool _keeps = true;
    private bool _disposed;

    /// <summary>Held across a sync of the log, and so across the use of the segments that it covers.</summary>
    public RankedLock Syncing { get; } = new(LockOrder.Sync);

    /// <summary>Length of a full-sized segment. Only these are kept for reuse.</summary>
    public long Length => length;

    /// <summary>Length of a database's first segment, and of one at rest: little data takes little space.</summary>
    public long RestingLength =>
        Math.Min(length, Math.Max(RestingLengthMin, length / FullOfResting & ~(ZeroWrite - 1L)));

    /// <summary>Bytes of the segments kept for reuse, without a lock.</summary>
    public long BytesKept => _used.Count * length;

    /// <summary>
    /// Gives a segment with room for <paramref name="room"/> bytes of records, numbered above all before it (I6).
    /// </summary>
    /// <param name="room">Bytes of records that it has to hold.</param>
    /// <param name="usual">Its length, at most <see cref="Length"/>, if that suffices. Otherwise the length grows by
    /// <see cref="Growth"/>; a record larger than <see cref="Length"/> gets a segment of its own size.</param>
    public WalSegment Acquire(long room, long usual)
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
    /// Makes the pages of a segment present and writable. This dirties them: the device writes them even if the segment
    /// is never used.
    /// </summary>
    public void Warm(WalSegment segment)
    {
        if (!isSynced) segment.Mapping.Populate(0, segment.Length);
    }

    /// <summary>
    /// Keeps a segment for reuse, or drops it. Its records are in synced tables, and no pin can see it (I5, I8).
    /// </summary>
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

        Delete(segment);
    }

    /// <summary>
    /// Recycles a segment that the log has dropped. A sync that is under way may still have it, so that sync ends
    /// first; later ones do not know it.
    /// </summary>
    public void RecycleAfterSync(WalSegment segment)
    {
        using (Syncing.Enter())
        {
            // The sync that was under way has ended.
        }

        Recycle(segment);
    }

    /// <summary>Unmaps a segment that nothing needs, and deletes its file.</summary>
    public void Delete(WalSegment segment)
    {
        segment.Dispose();
        TryDelete(segment.Path);
    }

    /// <summary>Deletes the segments kept for reuse, and keeps none until the next full-sized one is made.</summary>
    public void ReleaseIdle()
    {
        using (_lock.Enter())
        {
            _keeps = false;
            while (_used.TryPop(out var used)) Delete(used);
        }
    }

    public void Dispose()
    {
        using (_lock.Enter())
        {
            _disposed = true;
            while (_used.TryPop(out var used)) Delete(used);
        }
    }

    /// <summary>
    /// Gives a used segment a new identity; null, with the segment gone, if another process may have it mapped (I8).
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
