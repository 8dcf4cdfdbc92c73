using Varve.Recovery;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Varve.Wal;
using Xunit;

namespace Varve.Tests.Engine.Wal;

/// <summary>
/// A reader beside a writer meets a record that is being written, and later records that prove it durable: it is not
/// damaged. If it is complete before the reader decides, the log continues there.
/// </summary>
public sealed class RecordBeingWrittenTests : IDisposable
{
    private readonly Database _database = new();

    public void Dispose() => _database.Dispose();

    [Theory]
    [InlineData(Durability.Power)]
    [InlineData(Durability.Process)]
    public void RecordCompletedBeforeVerdictBelongsToLog(Durability durability)
    {
        using (var machine = _database.Open(Database.Small with { Durability = durability }))
            NumberedLog.ApplyUpTo(machine, 40, perChunk: 1);
        var path = _database.LastSegment();
        var records = Database.Records(path);
        var written = records[records.Count / 2];
        var checksum = File.ReadAllBytes(path).AsSpan((int)written.Offset, sizeof(ulong)).ToArray();

        var looks = Recover(path, written.Offset, checksum, completeAt: int.MaxValue, out var reports, out _);
        Assert.Equal(1, reports); // under Process the close has vouched for it
        for (var at = 1; at <= looks; at += at < 100 || at > looks - 20 ? 1 : 23)
        {
            Recover(path, written.Offset, checksum, at, out reports, out var log);
            Assert.Equal(0, reports);
            Assert.Equal(
                (LogEnding.CleanEnd, records[^1].Offset + records[^1].Length), (log.Ending, log.Segments[^1].End));
        }
    }

    /// <summary>
    /// Recovers a log one of whose records is complete only from some look at the mapped memory on; says how many looks
    /// there were.
    /// </summary>
    private int Recover(
        string path, long offset, byte[] checksum, int completeAt, out int reports, out RecoveredLog log)
    {
        Database.Zero(path, offset, checksum.Length);
        var storage = new CompletingStorage(() =>
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            RandomAccess.Write(file, checksum, offset);
        })
        { CompleteAt = completeAt };
        var id = DatabaseOpener.ReadPointer(Storages.Default, _database.PathOf(FileNames.Identity)).DatabaseId;
        Assert.True(FileNames.TryParse(Path.GetFileName(path), FileNames.SegmentSuffix, out var first));
        var count = 0;
        log = WalRecovery.Run(storage, _database.Directory, id, first, MappingAccess.Table, _ => count++);
        reports = count;
        foreach (var segment in log.Segments.Concat(log.Unused)) segment.Dispose();
        return storage.Looks;
    }

    /// <summary>
    /// The real storage to read, which counts the looks at mapped memory, and does something before one of them.
    /// </summary>
    private sealed class CompletingStorage(Action complete) : IStorage
    {
        public int CompleteAt { get; init; }

        public int Looks { get; private set; }

        public bool DirectoryExists(string path) => Storages.Default.DirectoryExists(path);

        public bool FileExists(string path) => Storages.Default.FileExists(path);

        public IReadOnlyList<string> List(string directory) => Storages.Default.List(directory);

        public IStorageFile Open(string path, FileIntent intent) =>
            new ReadFile(this, Storages.Default.Open(path, FileIntent.Read));

        public void CreateDirectory(string path) => throw new NotSupportedException();

        public void SyncDirectory(string path) => throw new NotSupportedException();

        public bool TryLink(string existingPath, string newPath) => throw new NotSupportedException();

        public void Rename(string from, string to) => throw new NotSupportedException();

        public void Delete(string path) => throw new NotSupportedException();

        public void DeleteDirectory(string path) => throw new NotSupportedException();

        public IDisposable? TryLock(string path) => throw new NotSupportedException();

        private void Look()
        {
            if (++Looks == CompleteAt) complete();
        }

        private sealed class ReadFile(CompletingStorage owner, IStorageFile file) : IStorageFile
        {
            public string Path => file.Path;

            public long Length => file.Length;

            public void Read(long offset, Span<byte> destination) => file.Read(offset, destination);

            public void Write(long offset, ReadOnlySpan<byte> source) => throw new NotSupportedException();

            public void Allocate(long length) => throw new NotSupportedException();

            public void Sync() => throw new NotSupportedException();

            public IMapping Map(long length, MappingAccess access) => new LookedAt(owner, file.Map(length, access));

            public void Dispose() => file.Dispose();
        }

        private sealed unsafe class LookedAt(CompletingStorage owner, IMapping mapping) : IMapping
        {
            public byte* Address
            {
                get
                {
                    owner.Look();
                    return mapping.Address;
                }
            }

            public long Length => mapping.Length;

            public void Dirtied(long offset, long length) => throw new NotSupportedException();

            public void Sync(long offset, long length) => throw new NotSupportedException();

            public void Populate(long offset, long length) => mapping.Populate(offset, length);

            public bool IsResident(long offset, long length) => mapping.IsResident(offset, length);

            public void Dispose() => mapping.Dispose();
        }
    }
}
