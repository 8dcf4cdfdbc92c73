using Varve.Contract;
using Varve.Format;
using Varve.Storage;

namespace Varve.Wal;

/// <summary>
/// The records that a writer appended behind those that a reader has read: in the reader's last segment, and in new
/// segments that continue it. Owns the new segments until they are dequeued. One thread.
/// </summary>
internal sealed class LogGrowth : IDisposable
{
    private readonly IStorage _storage;
    private readonly string _directory;
    private readonly Guid _databaseId;
    private readonly WalSegment _last;
    private readonly Queue<WalSegment> _segments = new();
    private string? _missing;

    private LogGrowth(IStorage storage, string directory, Guid databaseId, WalSegment last) =>
        (_storage, _directory, _databaseId, _last, End) = (storage, directory, databaseId, last, last.End);

    /// <summary>The end of the records in the reader's last segment.</summary>
    public long End { get; private set; }

    /// <summary>The new records know the log to be durable up to here.</summary>
    public LogOffset Synced { get; private set; }

    /// <summary>The new segments in order, their ends set.</summary>
    public IReadOnlyCollection<WalSegment> Segments => _segments;

    /// <summary>Follows the log from the end of <paramref name="last"/>.</summary>
    /// <param name="storage">The file system.</param>
    /// <param name="directory">The database.</param>
    /// <param name="databaseId">The database's id, which every segment carries.</param>
    /// <param name="last">The reader's last segment; its end stays as it is.</param>
    public static LogGrowth Find(IStorage storage, string directory, Guid databaseId, WalSegment last)
    {
        var read = last.End;
        var growth = new LogGrowth(storage, directory, databaseId, last);
        try
        {
            growth.Follow();
            return growth;
        }
        catch
        {
            growth.Dispose();
            throw;
        }
        finally
        {
            last.End = read;
        }
    }

    /// <summary>Dequeues the next new segment, which the caller owns from here on; null: there are no more.</summary>
    public WalSegment? DequeueNext() => _segments.TryDequeue(out var next) ? next : null;

    /// <exception cref="CorruptionException">The log names a segment that does not exist.</exception>
    public void ThrowIfMissing()
    {
        if (_missing is not null)
            throw CorruptionException.Of(
                _missing, 0, CorruptionKind.Log, "file does not exist, and the log continues in it");
    }

    public void Dispose()
    {
        while (DequeueNext() is { } segment) segment.Dispose();
    }

    private void Follow()
    {
        var synced = default(LogOffset);
        var current = _last;
        while (true)
        {
            var continuesIn = current.FindEnd(ref synced, out var error);
            if (error.IsUnsupported) throw DecodeFailure.Of(current.Path, current.End, CorruptionKind.Record, error);
            if (current == _last) End = current.End;
            Synced = synced;
            if (FindNext(current, continuesIn) is not { } next) return;
            _segments.Enqueue(next);
            current = next;
        }
    }

    private WalSegment? FindNext(WalSegment current, ulong? continuesIn)
    {
        var numbers = new List<ulong>();
        foreach (var name in _storage.List(_directory))
            if (FileNames.TryParse(name, FileNames.SegmentSuffix, out var number) && number > current.Number)
                numbers.Add(number);
        if (continuesIn is { } named && !numbers.Contains(named)) _missing = PathOf(named);
        numbers.Sort();
        foreach (var number in numbers)
        {
            var candidate = WalSegment.Open(_storage, PathOf(number), number, _databaseId, MappingAccess.Table);
            if (candidate.LinksTo(current))
            {
                _missing = null; // the writer made another one in its place
                return candidate;
            }

            var isRecord = candidate.TryReadRecord(WalSegmentHeader.Size, out _, out var error);
            candidate.Dispose();
            if (!isRecord && error.IsUnsupported)
                throw DecodeFailure.Of(candidate.Path, WalSegmentHeader.Size, CorruptionKind.Record, error);
        }

        return null;
    }

    private string PathOf(ulong number) => Path.Combine(_directory, FileNames.Segment(number));
}
