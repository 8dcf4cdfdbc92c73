using Varve.Contract;
using Varve.Format;
using Varve.Storage;

namespace Varve.Wal;

/// <summary>
/// What a writer has added to a log behind what a reader has read of it: records in the segment that was the last, and
/// segments that follow on it. Owns the new segments that are not taken.
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

    /// <summary>Where the records end in the segment that was the last.</summary>
    public long End { get; private set; }

    /// <summary>How far the new records know the log to be durable.</summary>
    public LogOffset Synced { get; private set; }

    /// <summary>Those that follow, their ends set.</summary>
    public IReadOnlyCollection<WalSegment> Segments => _segments;

    /// <summary>Follows the log.</summary>
    /// <param name="storage">The file system.</param>
    /// <param name="directory">The database.</param>
    /// <param name="databaseId">Whose segments they have to be.</param>
    /// <param name="last">The last segment that is read; its end is where that ended, and stays.</param>
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

    /// <summary>The next of the segments, the caller's from here on; null: there are no more.</summary>
    public WalSegment? TakeNext() => _segments.TryDequeue(out var next) ? next : null;

    /// <exception cref="CorruptionException">A segment that the log says it goes on in is not there.</exception>
    public void ThrowIfMissing()
    {
        if (_missing is not null)
            throw CorruptionException.Of(_missing, 0, "log", "no such file, the log goes on in it");
    }

    public void Dispose()
    {
        while (TakeNext() is { } segment) segment.Dispose();
    }

    private void Follow()
    {
        var synced = default(LogOffset);
        var current = _last;
        while (true)
        {
            var goesOnIn = WalRecovery.ReadToEnd(current, ref synced, out var error);
            if (error.IsUnsupported) throw DecodeFailure.Of(current.Path, current.End, "record", error);
            if (current == _last) End = current.End;
            Synced = synced;
            if (FindNext(current, goesOnIn) is not { } next) return;
            _segments.Enqueue(next);
            current = next;
        }
    }

    private WalSegment? FindNext(WalSegment current, ulong? goesOnIn)
    {
        var numbers = new List<ulong>();
        foreach (var name in _storage.List(_directory))
            if (FileNames.TryParse(name, FileNames.SegmentSuffix, out var number) && number > current.Number)
                numbers.Add(number);
        if (goesOnIn is { } named && !numbers.Contains(named)) _missing = PathOf(named);
        numbers.Sort();
        foreach (var number in numbers)
        {
            var candidate = WalRecovery.OpenSegment(_storage, PathOf(number), number, _databaseId, MappingAccess.Table);
            if (WalRecovery.LinksTo(candidate, current))
            {
                _missing = null; // another one was made in its place
                return candidate;
            }

            var isRecord = candidate.TryReadRecord(WalSegmentHeader.Size, out _, out var error);
            candidate.Dispose();
            if (!isRecord && error.IsUnsupported)
                throw DecodeFailure.Of(candidate.Path, WalSegmentHeader.Size, "record", error);
        }

        return null;
    }

    private string PathOf(ulong number) => Path.Combine(_directory, FileNames.Segment(number));
}
