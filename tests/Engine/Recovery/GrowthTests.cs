using Varve.Background;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// An open view keeps the memtables and tables that it reads, and nothing that is written after it was opened.
/// </summary>
public sealed class GrowthTests
{
    private const ulong EntriesAtFirst = 500;
    private const ulong EntriesPerRound = 200; // more than half a segment
    private const int Rounds = 100;

    /// <summary>The holder of the view that is open while the rest is written.</summary>
    public enum Viewer
    {
        None,
        ThisThread,
        DeadThread,
    }

    [Theory]
    [InlineData(Viewer.ThisThread)]
    [InlineData(Viewer.DeadThread)]
    public void DataWrittenUnderOpenViewIsReleased(Viewer viewer)
    {
        var usual = Overwrite(Viewer.None);
        var viewed = Overwrite(viewer);
        // Twice the usual budget, since it includes the memory that the view keeps; the rounds would take a multiple.
        Assert.InRange(viewed.Files, 1, (2 * usual.Files) + viewed.FilesOfTheView);
        Assert.InRange(viewed.FileBytes, 0, (2 * usual.FileBytes) + viewed.BytesOfTheView);
        Assert.InRange(viewed.MemoryBytes, 0, (2 * usual.MemoryBytes) + viewed.BytesOfTheView);
        Assert.True(
            (2 * usual.FileBytes) + viewed.BytesOfTheView < viewed.Flushes * Database.Small.MemtableBytes,
            "what growth would take is within the bound");
    }

    [Fact]
    public void ViewKeepsReplacedStateReadableAndReleasesItAtEnd()
    {
        using var database = new Database();
        var steps = new ManualScheduler();
        using var machine = database.Open(Database.Small, new EngineSeams(Scheduler: steps));
        NumberedLog.ApplyUpTo(machine, EntriesAtFirst);
        var expected = machine.ScanPrefix([]).Entries
            .Select(entry => Convert.ToHexString(entry.Key.Span) + Convert.ToHexString(entry.Value.Span)).ToList();
        var view = machine.OpenView();
        for (var round = 1; round <= 10; round++) Round(machine, steps, round);
        using (var later = machine.OpenView()) Assert.NotEqual(later.Revision, view.Revision);
        var seen = new List<string>();
        foreach (var entry in view.ScanPrefix([]))
            seen.Add(Convert.ToHexString(entry.Key) + Convert.ToHexString(entry.Value));
        Assert.Equal(expected, seen);

        while (steps.Run())
        {
            // Until nothing is due.
        }

        // An open view costs a background at rest nothing.
        Assert.Equal(Timeout.InfiniteTimeSpan, machine.BackgroundInterval());
        var before = Directory.GetFiles(database.Directory).Length;
        var memoryBefore = machine.GetStatistics().MemoryBytes;
        view.Dispose();
        Assert.Equal(before, Directory.GetFiles(database.Directory).Length); // not on the reader's thread
        Assert.Equal(memoryBefore, machine.GetStatistics().MemoryBytes);
        Assert.True(steps.Run()); // the end of the view made a round due
        Assert.True(machine.GetStatistics().MemoryBytes < memoryBefore, "the view's memtables are still there");
        Assert.Equal(0, machine.GetStatistics().OldestViewBytes);
    }

    [Fact]
    public void ClosingViewOfCurrentStateWakesNoThread()
    {
        using var database = new Database();
        var steps = new ManualScheduler();
        using var machine = database.Open(Database.Small, new EngineSeams(Scheduler: steps));
        NumberedLog.ApplyUpTo(machine, 20);
        while (steps.Run())
        {
            // Until nothing is due.
        }

        machine.OpenView().Dispose();
        Assert.False(steps.Run());
    }

    [Fact]
    public void StatisticsCountOpenViewsTheirAgeAndRetainedBytes()
    {
        using var database = new Database();
        var steps = new ManualScheduler();
        var clock = new HandClock();
        using var machine = database.Open(
            Database.Small with { TimeProvider = clock }, new EngineSeams(Scheduler: steps));
        NumberedLog.ApplyUpTo(machine, EntriesAtFirst);
        Assert.Equal((0, TimeSpan.Zero, 0), Views(machine));
        using var oldest = machine.OpenView();
        clock.Ticks += TimeSpan.FromMinutes(10).Ticks;
        using (machine.OpenView())
        {
            clock.Ticks += TimeSpan.FromMinutes(5).Ticks;
            Assert.Equal((2, TimeSpan.FromMinutes(15), 0), Views(machine));
            Round(machine, steps, 1);
            var (open, age, bytes) = Views(machine);
            Assert.Equal((2, TimeSpan.FromMinutes(15)), (open, age));
            Assert.InRange(bytes, Database.Small.MemtableBytes, 40 * Database.Small.MemtableBytes);
        }

        for (var round = 2; round <= 10; round++) Round(machine, steps, round);
        var kept = Views(machine).Bytes;
        for (var round = 11; round <= 20; round++) Round(machine, steps, round);
        Assert.Equal((1, TimeSpan.FromMinutes(15), kept), Views(machine));
    }

    /// <summary>The caller's code may take as long as it likes: it holds a view, not a pin.</summary>
    [Fact]
    public void SlowBufferWriterBlocksNothing()
    {
        using var database = new Database();
        var steps = new ManualScheduler();
        using var machine = database.Open(Database.Small, new EngineSeams(Scheduler: steps));
        NumberedLog.ApplyUpTo(machine, EntriesAtFirst);
        var key = machine.ScanPrefix([]).Entries[0];
        var during = 0;
        var writer = new SlowWriter(() =>
        {
            for (var round = 1; round <= 20; round++) Round(machine, steps, round);
            during = Directory.GetFiles(database.Directory).Length;
            Assert.Equal(Timeout.InfiniteTimeSpan, machine.BackgroundInterval());
        });
        Assert.True(machine.TryGet(key.Key.Span, writer));
        Assert.Equal(key.Value.ToArray(), writer.Written.WrittenSpan.ToArray());
        Assert.InRange(during, 1, 40);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void FinishedScansOfViewKeepNoMemory(bool toTheEnd)
    {
        using var database = new Database();
        using var machine = database.Open(Database.Small, new EngineSeams(Scheduler: new ManualScheduler()));
        NumberedLog.ApplyUpTo(machine, 100);
        using var view = machine.OpenView();
        Scan(view, 100, toTheEnd); // compiles it, and makes the scan
        // The runtime allocates now and then on this thread, but not in each of several windows.
        var least = long.MaxValue;
        for (var window = 0; window < 4; window++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Scan(view, 2_000, toTheEnd);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.InRange(least, 0, 2_000);

        static void Scan(ReadView view, int count, bool toTheEnd)
        {
            for (var i = 0; i < count; i++)
            {
                if (toTheEnd)
                {
                    var scan = view.ScanPrefix("key-00"u8);
                    while (scan.MoveNext()) EnsureKey(scan.Current);
                    if (scan.MoveNext()) throw new InvalidOperationException("a scan that was over went on");
                    continue;
                }

                foreach (var entry in view.ScanPrefix("key-00"u8))
                {
                    EnsureKey(entry);
                    break;
                }
            }
        }

        // Not an assertion, which would allocate.
        static void EnsureKey(EntryView entry)
        {
            if (entry.Key.Length != 7) throw new InvalidOperationException("a scan met another key");
        }
    }

    [Fact]
    public void FinishedScanIsNotItsSuccessor()
    {
        using var database = new Database();
        using var machine = database.Open(Database.Small, new EngineSeams(Scheduler: new ManualScheduler()));
        NumberedLog.ApplyUpTo(machine, 100);
        var view = machine.OpenView();
        var first = view.ScanPrefix("key-00"u8);
        Assert.True(first.MoveNext());
        first.Dispose();
        var second = view.ScanPrefix("key-01"u8);
        Assert.True(second.MoveNext());
        Assert.False(first.MoveNext());
        first.Dispose();
        Assert.StartsWith("key-01", System.Text.Encoding.ASCII.GetString(second.Current.Key), StringComparison.Ordinal);
        var third = view.ScanPrefix("key-02"u8); // beside the second
        Assert.True(third.MoveNext());
        Assert.True(second.MoveNext());
        Assert.StartsWith("key-01", System.Text.Encoding.ASCII.GetString(second.Current.Key), StringComparison.Ordinal);
        view.Dispose();
        second.Dispose();
        third.Dispose();
        using var again = machine.OpenView();
        using var fourth = again.ScanPrefix("key-00"u8);
        Assert.True(fourth.MoveNext());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FailedReplacementLeavesNoSegment(bool install)
    {
        using var database = new Database();
        var storage = new FaultInjector(Storages.Default);
        using var machine = database.Open(Database.Small, new EngineSeams(storage, new ManualScheduler()));
        NumberedLog.ApplyUpTo(machine, 100);
        var target = Path.Combine(database.Root, "snapshot");
        var snapshot = new SnapshotMetadata(
            NumberedLog.Id(100), await machine.GenerateSnapshotDataAsync(target, NumberedLog.Id(100)));
        storage.Before = (operation, path) =>
        {
            if (operation == "write" && path.EndsWith(FileNames.ManifestSuffix, StringComparison.Ordinal))
                throw new StorageFullException(path);
        };
        await Assert.ThrowsAsync<StorageFullException>(Replace);
        var before = database.Files(FileNames.SegmentSuffix).Length;
        for (var i = 0; i < 5; i++) await Assert.ThrowsAsync<StorageFullException>(Replace);
        Assert.InRange(database.Files(FileNames.SegmentSuffix).Length, 1, before);
        storage.Before = null;
        NumberedLog.AssertIsWhole(machine);

        Task Replace() => install ? machine.ApplySnapshotFromFileAsync(snapshot, target) : machine.ResetAsync();
    }

    private static (
        int Files, long FileBytes, long MemoryBytes, int FilesOfTheView, long BytesOfTheView, long Flushes) Overwrite(
        Viewer viewer)
    {
        using var database = new Database();
        var steps = new ManualScheduler();
        using var machine = database.Open(Database.Small, new EngineSeams(Scheduler: steps));
        NumberedLog.ApplyUpTo(machine, EntriesAtFirst);
        var view = default(ReadView);
        if (viewer == Viewer.ThisThread) view = machine.OpenView();
        if (viewer == Viewer.DeadThread) OpenAndDie(machine);
        var (files, fileBytes, memoryBytes) = (0, 0L, 0L);
        for (var round = 1; round <= Rounds; round++)
        {
            Round(machine, steps, round);
            var all = new DirectoryInfo(database.Directory).GetFiles();
            files = Math.Max(files, all.Length);
            fileBytes = Math.Max(fileBytes, all.Sum(file => file.Length));
            memoryBytes = Math.Max(memoryBytes, machine.GetStatistics().MemoryBytes);
        }

        var statistics = machine.GetStatistics();
        Assert.Equal(viewer == Viewer.None ? 0 : 1, statistics.OpenViews);
        Assert.True(statistics.Flushes > 30, $"only {statistics.Flushes} memtables were flushed");
        view.Dispose();
        // Each memtable of the view's has a segment, and the tables of the time were as many at most.
        var segments = (int)(statistics.OldestViewBytes / Database.Small.MemtableBytes) + 1;
        return (files, fileBytes, memoryBytes, 2 * segments, statistics.OldestViewBytes, statistics.Flushes);
    }

    private static void Round(LsmStateMachine machine, ManualScheduler steps, int round)
    {
        NumberedLog.ApplyUpTo(machine, EntriesAtFirst + ((ulong)round * EntriesPerRound));
        steps.Run();
    }

    private static (int Open, TimeSpan Age, long Bytes) Views(LsmStateMachine machine)
    {
        var statistics = machine.GetStatistics();
        return (statistics.OpenViews, statistics.OldestViewAge, statistics.OldestViewBytes);
    }

    private static void OpenAndDie(LsmStateMachine machine)
    {
        var thread = new Thread(() => _ = machine.OpenView().Revision);
        thread.Start();
        thread.Join();
    }

    /// <summary>A clock whose timestamps are moved by hand.</summary>
    private sealed class HandClock : TimeProvider
    {
        public long Ticks { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Ticks;
    }

    private sealed class SlowWriter(Action onFirst) : System.Buffers.IBufferWriter<byte>
    {
        private Action? _onFirst = onFirst;

        public System.Buffers.ArrayBufferWriter<byte> Written { get; } = new();

        public void Advance(int count) => Written.Advance(count);

        public Memory<byte> GetMemory(int sizeHint = 0) => Written.GetMemory(sizeHint);

        public Span<byte> GetSpan(int sizeHint = 0)
        {
            var action = _onFirst;
            _onFirst = null;
            action?.Invoke();
            return Written.GetSpan(sizeHint);
        }
    }
}
