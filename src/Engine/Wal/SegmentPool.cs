using System.Buffers.Binary;
using System.Security.Cryptography;
using Varve.Format;
using Varve.Storage;

namespace Varve.Wal;

/// <summary>
/// Keeps the next segment ready, so that an apply never pays for making one: allocated (a full disk is then an ordinary
/// error, not a SIGBUS), zeroed in 4 KiB writes (larger ones make the page cache use large folios, of which every small
/// durable commit would write the whole), synced, named, its directory synced. Segments no longer needed are recycled,
/// their pages still warm. Safe for any thread.
/// </summary>
internal sealed class SegmentPool : IDisposable
{
    private const int ZeroWrite = 4096;
    private readonly Lock _lock = new();
    private readonly IStorage _storage;
    private readonly string _directory;
    private readonly Guid _databaseId;
    private readonly FileNumbers _numbers;
    private readonly long _length;
    private WalSegment? _ready;
    private WalSegment? _used;
    private bool _disposed;

    public SegmentPool(IStorage storage, string directory, Guid databaseId, FileNumbers numbers, long length)
    {
        _storage = storage;
        _directory = directory;
        _databaseId = databaseId;
        _numbers = numbers;
        _length = length;
    }

    /// <summary>True when the next <see cref="Take"/> of a usual length will not wait.</summary>
    public bool IsReady => Volatile.Read(ref _ready) is not null;

    /// <summary>A segment with room for at least <paramref name="room"/> bytes of records, numbered above all before it.</summary>
    public WalSegment Take(long room)
    {
        lock (_lock)
        {
            if (room > _length - WalSegmentHeader.Size)
            {
                // A record larger than a segment gets one of its own; the ready one would be out of order afterwards.
                if (_ready is not null) Keep(_ready);
                _ready = null;
                return Make((WalSegmentHeader.Size + room + ZeroWrite - 1) & ~(ZeroWrite - 1L));
            }

            PrepareLocked();
            var taken = _ready!;
            _ready = null;
            return taken;
        }
    }

    /// <summary>Makes the next segment now, if there is none.</summary>
    public void Prepare()
    {
        if (IsReady) return;
        lock (_lock)
            if (!_disposed) PrepareLocked();
    }

    /// <summary>Takes back a segment whose records are in synced tables and that no pin can see.</summary>
    public void Recycle(WalSegment segment)
    {
        lock (_lock) Keep(segment);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _ready?.Dispose();
            _used?.Dispose();
            _ready = _used = null;
        }
    }

    private void Keep(WalSegment segment)
    {
        if (!_disposed && segment.Length == _length && _used is null)
        {
            _used = segment;
            return;
        }

        segment.Dispose();
        TryDelete(segment.Path);
    }

    private void PrepareLocked()
    {
        if (_ready is not null) return;
        if (_used is { } used)
        {
            _used = null;
            _ready = Renew(used);
            return;
        }

        _ready = Make(_length);
    }

    private WalSegment Renew(WalSegment used)
    {
        var header = NewHeader(_length);
        var path = PathOf(header.Number);
        try
        {
            return used.Renew(_storage, path, header);
        }
        catch
        {
            used.Dispose();
            TryDelete(used.Path, path + FileNames.TemporarySuffix, path);
            throw;
        }
    }

    private WalSegment Make(long length)
    {
        var header = NewHeader(length);
        var path = PathOf(header.Number);
        var temporary = path + FileNames.TemporarySuffix;
        _storage.Delete(temporary);
        IStorageFile? file = null;
        try
        {
            file = _storage.Open(temporary, FileIntent.CreateNew);
            file.Allocate(length);
            Span<byte> page = stackalloc byte[ZeroWrite];
            page.Clear();
            for (long offset = ZeroWrite; offset < length; offset += ZeroWrite) file.Write(offset, page);
            header.Encode(page);
            file.Write(0, page);
            file.Sync();
            _storage.Rename(temporary, path);
            _storage.SyncDirectory(_directory);
            return new WalSegment(header, path, file, file.Map(length, MappingAccess.Segment));
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
        try
        {
            foreach (var path in paths) _storage.Delete(path);
        }
        catch (IOException)
        {
            // Swept at the next open.
        }
    }

    private WalSegmentHeader NewHeader(long length)
    {
        Span<byte> salt = stackalloc byte[8];
        RandomNumberGenerator.Fill(salt);
        return new WalSegmentHeader(_databaseId, _numbers.Next(), BinaryPrimitives.ReadUInt64LittleEndian(salt), length);
    }

    private string PathOf(ulong number) => System.IO.Path.Combine(_directory, FileNames.Segment(number));
}
