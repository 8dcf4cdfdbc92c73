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
        var looks = 0;
        var storage = new FaultInjector(Storages.Default)
        {
            BeforeAddress = () =>
            {
                if (++looks != completeAt) return;
                using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                RandomAccess.Write(file, checksum, offset);
            },
        };
        var id = DatabaseOpener.ReadPointer(Storages.Default, _database.PathOf(FileNames.Identity)).DatabaseId;
        Assert.True(FileNames.TryParse(Path.GetFileName(path), FileNames.SegmentSuffix, out var first));
        var count = 0;
        log = WalRecovery.Run(storage, _database.Directory, id, first, MappingAccess.Table, _ => count++);
        reports = count;
        foreach (var segment in log.Segments.Concat(log.Unused)) segment.Dispose();
        return looks;
    }
}
