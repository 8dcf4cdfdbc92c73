using Varve.Background;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// A read-only engine beside a writer has the whole state of one index, whatever the writer does during an open or a
/// catch-up; an intact database is never reported corrupt, and a damaged one still is.
/// </summary>
public class ReaderBesideWriterTests : IDisposable
{
    private readonly Database _database;
    private readonly IStorage _disk;
    private readonly ManualScheduler _steps = new();
    private LsmStateMachine _writer;

    public ReaderBesideWriterTests() : this(Storages.Default)
    {
    }

    private protected ReaderBesideWriterTests(IStorage disk)
    {
        _disk = disk;
        _database = new Database(disk);
        _writer = OpenWriter();
        ApplyRounds(4);
    }

    public static TheoryData<string, string> Moments => new()
    {
        { "open", FileNames.ManifestSuffix }, { "open", FileNames.TableSuffix }, { "open", FileNames.SegmentSuffix },
        { "list", "" },
    };

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        _writer.Dispose();
        _database.Dispose();
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public void OpenRetriesAfterWriterChangedFiles(string operation, string suffix)
    {
        foreach (var change in Changes())
        {
            using var reader = OpenReader(At(operation, suffix, change, out var count));
            Assert.True(count() > 0);
            NumberedLog.AssertIsWholeToRead(reader);
        }
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public void CatchUpRetriesAfterWriterChangedFiles(string operation, string suffix)
    {
        foreach (var change in Changes())
        {
            var storage = new FaultInjector(_disk);
            using var reader = OpenReader(storage);
            ApplyRounds(1);
            Run(_writer.CompactAsync());
            ApplyRounds(1);
            storage.Before = At(operation, suffix, change, out var count).Before;
            Assert.True(reader.TryCatchUp());
            Assert.True(count() > 0);
            NumberedLog.AssertIsWholeToRead(reader);
            reader.TryCatchUp();
            Assert.Equal(_writer.LastApplied, reader.LastApplied);
            NumberedLog.AssertIsWholeToRead(reader);
        }
    }

    [Fact]
    public void CatchUpShowsCurrentStateAfterAnyWriterAction()
    {
        using var reader = OpenReader();
        Assert.False(reader.TryCatchUp());
        for (var round = 0; round < 3; round++)
        {
            foreach (var change in Changes().Prepend(
                () => NumberedLog.ApplyUpTo(_writer, _writer.LastApplied.Index + 7)))
            {
                var before = reader.LastApplied;
                change();
                NumberedLog.AssertIsWholeToRead(reader);
                Assert.Equal(before, reader.LastApplied);
                Assert.True(reader.TryCatchUp() || _writer.LastApplied == before);
                Assert.Equal(_writer.LastApplied, reader.LastApplied);
                Assert.Equal(_writer.LastApplied.Index, NumberedLog.AssertIsWholeToRead(reader));
                Assert.Equal(_writer.EntryTerm(_writer.LastApplied.Index), reader.EntryTerm(reader.LastApplied.Index));
                Assert.False(reader.TryCatchUp());
            }
        }
    }

    [Fact]
    public void SmallCatchUpsExtendMemtable()
    {
        var storage = new FaultInjector(_disk);
        using var reader = OpenReader(storage);
        var opened = 0;
        storage.Before = (operation, path) =>
            opened += operation == "open" && path.EndsWith(FileNames.TableSuffix, StringComparison.Ordinal) ? 1 : 0;
        for (var step = 0; step < 100; step++)
        {
            NumberedLog.ApplyUpTo(_writer, _writer.LastApplied.Index + 11);
            Assert.True(reader.TryCatchUp());
            Assert.Equal(_writer.LastApplied, reader.LastApplied);
            if (step % 10 == 0) NumberedLog.AssertIsWholeToRead(reader);
        }

        Assert.Equal(0, opened); // no memtable was flushed: the steps were not run
        NumberedLog.AssertIsWholeToRead(reader);
        _steps.Run();
        reader.TryCatchUp();
        NumberedLog.AssertIsWholeToRead(reader);
        Assert.InRange(opened, 1, int.MaxValue);
    }

    [Fact]
    public void ViewKeepsItsStateDuringCatchUp()
    {
        using var reader = OpenReader();
        var view = reader.OpenView();
        var (revision, before) = (view.Revision, Dump(view));
        foreach (var change in Changes())
        {
            change();
            Assert.True(reader.TryCatchUp());
            Assert.Equal(revision, view.Revision);
            Assert.Equal(before, Dump(view));
        }

        view.Dispose();
        using var later = reader.OpenView();
        Assert.Equal(_writer.LastApplied.Index, later.Revision);
    }

    [Fact]
    public void WriterCannotCatchUp()
    {
        Assert.Throws<InvalidOperationException>(() => _writer.TryCatchUp());
        var reader = OpenReader();
        reader.Stop();
        Assert.Throws<InvalidOperationException>(() => reader.TryCatchUp());
        reader.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reader.TryCatchUp());
    }

    [Fact]
    public void DamageIsStillReported()
    {
        using var reader = OpenReader();
        ApplyRounds(2);
        Run(_writer.CompactAsync());
        var table = _database.Files(FileNames.TableSuffix)[^1];
        File.Move(table, table + ".gone");
        Assert.Equal(table, Assert.Throws<CorruptionException>(() => reader.TryCatchUp()).Path);
        Assert.Equal(table, Assert.Throws<CorruptionException>(() => OpenReader().Dispose()).Path);
        NumberedLog.AssertIsWholeToRead(reader);
        File.Move(table + ".gone", table);
        Assert.True(reader.TryCatchUp());
        Assert.Equal(_writer.LastApplied.Index, NumberedLog.AssertIsWholeToRead(reader));
    }

    [Fact]
    public async Task CountMatchesWriterAfterTablesLoseLeases()
    {
        var clock = new TestClock();
        _writer.Dispose();
        _writer = OpenWriter(clock);
        var next = _writer.LastApplied.Index;
        var results = new ApplyResult[1];
        for (ulong i = 1; i <= 20; i++)
            _writer.ApplyChunk(
                [new ApplyEntry(next + i, 100, Command.Insert(BitConverter.GetBytes(i), new byte[10], i))], results);
        using var reader = OpenReader(clock: clock);
        Assert.Equal(_writer.Count, reader.Count);
        for (var second = 0; second < 20; second += 5)
        {
            clock.Now += TimeSpan.FromSeconds(5);
            Assert.Equal(5, (await _writer.LeaseBackgroundCleanupAsync()).Count);
            Run(_writer.CompactAsync()); // drops what has expired and is reported
            reader.TryCatchUp();
            Assert.Equal(_writer.Count, reader.Count);
            Assert.Equal(reader.Count, reader.ScanPrefix([]).Entries.Count);
        }
    }

    private static List<string> Dump(ReadView view)
    {
        var entries = new List<string>();
        foreach (var entry in view.ScanPrefix([]))
            entries.Add(Convert.ToHexString(entry.Key) + "=" + Convert.ToHexString(entry.Value));
        return entries;
    }

    /// <summary>
    /// A storage with which the writer does something just before a reader's operation, the first two times.
    /// </summary>
    private FaultInjector At(string operation, string suffix, Action change, out Func<int> count)
    {
        var done = 0;
        count = () => done;
        return new FaultInjector(_disk)
        {
            Before = (actual, path) =>
            {
                if (actual != operation || !path.EndsWith(suffix, StringComparison.Ordinal) || done == 2) return;
                done++;
                change();
            },
        };
    }

    /// <summary>
    /// Everything after which files are gone that were there: flushes, compactions, a reset, an install, another
    /// manifest.
    /// </summary>
    private IEnumerable<Action> Changes()
    {
        yield return () => ApplyRounds(1);
        yield return () => ApplyRounds(3);
        yield return () =>
        {
            ApplyRounds(1);
            Run(_writer.CompactAsync());
        };
        yield return () =>
        {
            _writer.Dispose();
            _writer = OpenWriter();
            ApplyRounds(1);
        };
        yield return Install;
        yield return () =>
        {
            Run(_writer.ResetAsync());
            ApplyRounds(3);
        };
    }

    private void Install()
    {
        ApplyRounds(1);
        var target = Path.Combine(_database.Root, Guid.NewGuid().ToString("N"));
        var id = _writer.LastApplied;
        var cut = _writer.GenerateSnapshotDataAsync(target, id);
        _steps.Run();
        var metadata = new SnapshotMetadata(id, cut.GetAwaiter().GetResult());
        Run(_writer.ApplySnapshotFromFileAsync(metadata, target));
        ApplyRounds(1);
    }

    private LsmStateMachine OpenWriter(TimeProvider? clock = null) =>
        _database.Open(Database.Small with
        {
            UpperRunsMax = 2,
            TimeProvider = clock ?? TimeProvider.System,
            // With it a compaction ends two segments, and a reader that has seen neither begins anew.
            IdleAfter = clock is null ? TimeSpan.FromSeconds(30) : Timeout.InfiniteTimeSpan,
        }, new EngineSeams(Scheduler: _steps));

    private LsmStateMachine OpenReader(IStorage? storage = null, TimeProvider? clock = null) =>
        _database.Open(
            Database.Small with { ReadOnly = true, TimeProvider = clock ?? TimeProvider.System },
            new EngineSeams(storage));

    private void ApplyRounds(int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            NumberedLog.ApplyUpTo(_writer, _writer.LastApplied.Index + 150);
            _steps.Run();
        }
    }

    private void Run(Task task)
    {
        _steps.Run();
        Assert.True(task.IsCompletedSuccessfully);
    }

    private sealed class TestClock : TimeProvider
    {
        // Ahead of what the log has seen.
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch.AddYears(150);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}

/// <summary>The same tests on storage that neither deletes nor replaces a file that is open or mapped.</summary>
public sealed class ReaderBesideWriterOnNtfsLikeStorageTests()
    : ReaderBesideWriterTests(new NtfsLikeStorage(new PortableStorage()));
