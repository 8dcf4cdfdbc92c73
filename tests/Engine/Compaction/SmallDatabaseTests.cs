using Varve.Background;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Compaction;

/// <summary>A small database takes little space; its space grows with load and shrinks at close.</summary>
public sealed class SmallDatabaseTests : IDisposable
{
    private const long OneKeyMax = 1 << 20;
    private readonly Database _database = new();

    public void Dispose() => _database.Dispose();

    [Theory]
    [InlineData(Durability.Process)]
    [InlineData(Durability.Interval)]
    [InlineData(Durability.Power)]
    public async Task OneKeyTakesLessThanOneMebibyteOnDisk(Durability durability)
    {
        var options = new EngineOptions { Durability = durability };
        using (_database.Open(options)) Assert.InRange(BytesOnDisk(), 1, OneKeyMax);
        Assert.InRange(BytesOnDisk(), 1, OneKeyMax);
        using (var machine = _database.Open(options)) NumberedLog.ApplyUpTo(machine, 1);
        Assert.InRange(BytesOnDisk(), 1, OneKeyMax);
        using (var machine = _database.Open(options))
        {
            NumberedLog.ApplyUpTo(machine, 2);
            await machine.CompactAsync();
        }

        Assert.InRange(BytesOnDisk(), 1, OneKeyMax);
        using var reopened = _database.Open(options);
        NumberedLog.AssertIsWhole(reopened);
    }

    [Fact]
    public void NoMemtableIsPreparedUntilActiveSegmentIsQuarterFull()
    {
        var steps = new ManualScheduler();
        using var machine = _database.Open(new EngineOptions(), new EngineSeams(Scheduler: steps));
        var segment = new FileInfo(Assert.Single(Segments())).Length;
        var index = 0UL;
        while (ApplyTo(segment / 8)) Assert.Single(Segments());
        while (ApplyTo((segment / 4) + 4096))
        {
        }

        Assert.Equal(2, Segments().Length);
        while (machine.GetStatistics().Flushes == 0) ApplyTo(long.MaxValue);
        Assert.Equal(0, machine.GetStatistics().SegmentStalls);

        bool ApplyTo(long walBytes)
        {
            machine.ApplyChunk(
                [new ApplyEntry(++index, 1, Command.Insert("key"u8.ToArray(), new byte[1000]))], new ApplyResult[1]);
            steps.Run();
            return machine.GetStatistics().WalBytes < walBytes;
        }
    }

    [Fact]
    public void CloseDeletesPreparedSegments()
    {
        var steps = new ManualScheduler();
        using (var machine = _database.Open(Database.Small, new EngineSeams(Scheduler: steps)))
        {
            do
            {
                NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 20);
                steps.Run();
            }
            while (Segments().Length == machine.GetStatistics().Memtables);
        }

        // One for each memtable that the next open recovers, and none beside.
        using var recovered = _database.Open(Database.Small, new EngineSeams(Scheduler: new ManualScheduler()));
        Assert.Equal(Segments().Length, recovered.GetStatistics().Memtables);
    }

    [Theory]
    [InlineData(Durability.Process)]
    [InlineData(Durability.Interval)]
    [InlineData(Durability.Power)]
    public async Task CloseLeavesLargeSegmentWithOneKey(Durability durability)
    {
        var options = Large with { Durability = durability };
        await GrowAndHoldOneKey(options);
        Assert.InRange(BytesOnDisk(), 1, OneKeyMax);
        using (var reopened = _database.Open(options))
        {
            Assert.Equal(new LogId(1, NumberedLog.TermOf(1)), reopened.LastApplied);
            NumberedLog.AssertIsWhole(reopened);
            Assert.Single(reopened.GetStatistics().Runs);
        }

        using var again = _database.Open(options);
        NumberedLog.ApplyUpTo(again, 10);
        NumberedLog.AssertIsWhole(again);
    }

    [Fact]
    public async Task LargeSegmentStaysIfTableDoesNotFitOnDisk()
    {
        var storage = new FaultInjector(Storages.Default);
        await GrowAndHoldOneKey(Large, storage, beforeClose: () => storage.Before = (operation, path) =>
        {
            if (operation is "create" or "take over" && path.Contains(FileNames.TableSuffix, StringComparison.Ordinal))
                throw new StorageFullException(path);
        });
        Assert.InRange(BytesOnDisk(), Large.MemtableBytes, long.MaxValue);
        using var reopened = _database.Open(Large);
        Assert.Equal(1UL, NumberedLog.AssertIsWhole(reopened));
    }

    /// <summary>
    /// To flush the memtables that wait would make the close long, and their segments take more than the last one.
    /// </summary>
    [Fact]
    public void CloseFlushesNothingWhileSealedMemtablesWait()
    {
        ulong index = 0;
        using (var machine = _database.Open(Large, new EngineSeams(Scheduler: new ManualScheduler())))
        {
            while (Segments().All(path => new FileInfo(path).Length < Large.MemtableBytes))
                NumberedLog.ApplyUpTo(machine, index += 20);
            Assert.InRange(machine.GetStatistics().Memtables, 2, int.MaxValue);
        }

        Assert.Contains(Segments(), path => new FileInfo(path).Length == Large.MemtableBytes);
        Assert.Empty(_database.Files(FileNames.TableSuffix));
        using var reopened = _database.Open(Large);
        Assert.Equal(index, NumberedLog.AssertIsWhole(reopened));
    }

    private static EngineOptions Large =>
        new() { MemtableBytes = 4 << 20, HistoryEntries = 0, IdleAfter = Timeout.InfiniteTimeSpan };

    /// <summary>
    /// A database whose segments have grown to full size, and whose one key is in a fresh one of them.
    /// </summary>
    private async Task GrowAndHoldOneKey(EngineOptions options, IStorage? storage = null, Action? beforeClose = null)
    {
        using var machine = _database.Open(options, new EngineSeams(storage, new ManualScheduler()));
        ulong index = 0;
        while (Segments().All(path => new FileInfo(path).Length < options.MemtableBytes))
            machine.ApplyChunk(
                [new ApplyEntry(++index, 1, Command.Insert("key"u8.ToArray(), new byte[1000]))], new ApplyResult[1]);
        await machine.ResetAsync();
        NumberedLog.ApplyUpTo(machine, 1);
        Assert.InRange(BytesOnDisk(), options.MemtableBytes, long.MaxValue);
        beforeClose?.Invoke();
    }

    private string[] Segments() => _database.Files(FileNames.SegmentSuffix);

    private long BytesOnDisk() =>
        System.IO.Directory.GetFiles(_database.Directory).Sum(path => new FileInfo(path).Length);
}
