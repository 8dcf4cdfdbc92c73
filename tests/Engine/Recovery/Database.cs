using Varve.Background;
using Varve.Format;
using Varve.Storage;

namespace Varve.Tests.Engine.Recovery;

/// <summary>A database directory of a test's own, beside room for snapshots and for copies of it.</summary>
internal sealed class Database : IDisposable
{
    private readonly EngineSeams _seams;
    private int _copies;

    /// <param name="storage">For opens that name none; null: that of the platform.</param>
    /// <param name="scheduler">For opens that name none; null: threads.</param>
    public Database(IStorage? storage = null, ManualScheduler? scheduler = null)
        : this(System.IO.Directory.CreateTempSubdirectory("varve-recovery-").FullName, new(storage, scheduler))
    {
    }

    private Database(string root, EngineSeams seams) => (Root, _seams) = (root, seams);

    public string Root { get; }

    public string Directory => Path.Combine(Root, "db");

    /// <summary>
    /// Segments of 64 KiB, so that little fills many, and no history, so that they are recycled at once.
    /// </summary>
    public static EngineOptions Small { get; } =
        new() { MemtableBytes = 64 << 10, TableBytes = 64 << 10, BlockBytes = 1024, HistoryEntries = 0 };

    public LsmStateMachine Open(EngineOptions? options = null, EngineSeams? seams = null)
    {
        seams ??= EngineSeams.None;
        return LsmStateMachine.Open(
            Directory,
            options ?? Small,
            seams with
            {
                Storage = seams.Storage ?? _seams.Storage,
                Scheduler = seams.Scheduler ?? _seams.Scheduler
            });
    }

    public string PathOf(string name) => Path.Combine(Directory, name);

    public string[] Files(string suffix) =>
        [.. System.IO.Directory.GetFiles(Directory, "*" + suffix).Order(StringComparer.Ordinal)];

    /// <summary>
    /// Copies the files as a process that dies now leaves them: mapped stores are in the page cache, hence in the copy.
    /// </summary>
    public Database Copy()
    {
        var copy = new Database(Path.Combine(Root, $"copy-{Interlocked.Increment(ref _copies)}"), EngineSeams.None);
        System.IO.Directory.CreateDirectory(copy.Directory);
        foreach (var file in System.IO.Directory.GetFiles(Directory)
            .Where(path => !path.EndsWith(FileNames.Lock, StringComparison.Ordinal)))
            File.Copy(file, copy.PathOf(Path.GetFileName(file)));
        foreach (var staging in System.IO.Directory.GetDirectories(Directory))
        {
            var target = System.IO.Directory.CreateDirectory(copy.PathOf(Path.GetFileName(staging))).FullName;
            foreach (var file in System.IO.Directory.GetFiles(staging))
                File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }

        return copy;
    }

    /// <summary>The records of a segment, from the first to the last valid one.</summary>
    public static List<WalRecordHeader> Records(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var records = new List<WalRecordHeader>();
        if (!WalSegmentHeader.TryDecode(bytes, out var header, out _)) return records;
        long offset = WalSegmentHeader.Size;
        while (offset < bytes.Length
            && WalRecordHeader.TryRead(bytes.AsSpan((int)offset), offset, header.Salt, out var record, out _))
        {
            records.Add(record);
            offset += record.Length;
        }

        return records;
    }

    /// <summary>The segment that the log ends in.</summary>
    public string LastSegment() => Files(FileNames.SegmentSuffix).Last(path => Records(path).Count > 0);

    /// <summary>Removes the close marker, as a kill would have left the log.</summary>
    public void DropCloseMarker()
    {
        var path = LastSegment();
        var last = Records(path)[^1];
        if (last.Type == WalRecordType.Advance) Zero(path, last.Offset, last.Length);
    }

    public static void Flip(string path, long offset, int bit = 0)
    {
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Position = offset;
        var value = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(value ^ (1 << bit)));
    }

    public static void Zero(string path, long offset, int length)
    {
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Position = offset;
        file.Write(new byte[length]);
    }

    public void Dispose() => System.IO.Directory.Delete(Root, recursive: true);
}
