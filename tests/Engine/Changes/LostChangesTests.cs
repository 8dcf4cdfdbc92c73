using System.Text;
using Varve.Background;
using Varve.Tests.Engine.Leases;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Changes;

/// <summary>Flushes, replacements and reopens: readers of changes miss nothing, or are told what they miss.</summary>
public sealed class LostChangesTests : IDisposable
{
    private static readonly EngineOptions Kept = Database.Small with { HistoryEntries = 1 << 20 };

    private readonly ManualScheduler _scheduler = new();
    private readonly LeaseMachine _machine;

    public LostChangesTests() => _machine = new LeaseMachine(Kept, new EngineSeams(Scheduler: _scheduler));

    private LsmStateMachine Engine => _machine.Engine;

    public void Dispose() => _machine.Dispose();

    private async Task<string> All(ulong from = 1, string prefix = "") =>
        FeedReader.Text(await FeedReader.AllAsync(Engine, _scheduler, from, prefix));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    [Fact]
    public async Task FlushedChangesAreReadFromHistory()
    {
        for (var i = 0; i < 3; i++)
        {
            _machine.Put($"k{i}", ttl: 5);
            _machine.Advance(5);
            _machine.CleanUp();
            var compaction = Engine.CompactAsync();
            while (!compaction.IsCompleted) _scheduler.Run();
            _machine.Put($"l{i}", ttl: 5);
            _machine.Advance(5);
            compaction = Engine.CompactAsync(); // the clean-up's record is alone in the next memtable
            while (!compaction.IsCompleted) _scheduler.Run();
            _machine.CleanUp();
            compaction = Engine.CompactAsync();
            while (!compaction.IsCompleted) _scheduler.Run();
        }

        Assert.Equal(
            "1+k0=v 1!k0 2+l0=v 2!l0 3+k1=v 3!k1 4+l1=v 4!l1 5+k2=v 5!k2 6+l2=v 6!l2", await All());
    }

    [Fact]
    public async Task ReaderAtEndWaitsThroughFlushWithoutHistory()
    {
        using var machine = new LeaseMachine(Database.Small, new EngineSeams(Scheduler: _scheduler));
        machine.Put("a");
        await using var reader = new FeedReader(machine.Engine);
        Assert.Equal("1+a=v", await reader.NextAsync());
        var compaction = machine.Engine.CompactAsync();
        while (!compaction.IsCompleted) _scheduler.Run();
        await using var late = new FeedReader(machine.Engine);
        Assert.Equal(2UL, Assert.IsType<ChangesLostException>(await late.FailureAsync()).OldestIndex);
        await using var ahead = new FeedReader(machine.Engine, from: 2);
        machine.Put("b");
        _scheduler.Run();
        Assert.Equal("2+b=v", await reader.NextAsync());
        Assert.Equal("2+b=v", await ahead.NextAsync());
    }

    /// <summary>The reader's place is where the one lost record begins.</summary>
    [Fact]
    public async Task ReaderIsToldThatNextRecordIsLost()
    {
        using var machine = new LeaseMachine(Database.Small, new EngineSeams(Scheduler: _scheduler));
        machine.Put("a");
        await using var reader = new FeedReader(machine.Engine, from: 2);
        machine.Put("b");
        var compaction = machine.Engine.CompactAsync(); // its rounds come before the dispatcher's
        while (!compaction.IsCompleted) _scheduler.Run();
        machine.Put("c");
        _scheduler.Run();
        var seen = await reader.FailureAsync() is ChangesLostException ? "lost" : await reader.NextAsync();
        Assert.Contains(seen, (string[])["lost", "2+b=v"]);
        if (seen != "lost") Assert.Equal("3+c=v", await reader.NextAsync());
    }

    [Fact]
    public async Task ReplacedStateEndsReadersBelowIt()
    {
        for (var i = 0; i < 3; i++) _machine.Put($"k{i}");
        var snapshot = _machine.Snapshot();
        await using var reader = new FeedReader(Engine);
        for (var i = 0; i < 3; i++) await reader.NextAsync();
        _machine.Install(snapshot);
        _machine.Put("same");
        _scheduler.Run();
        Assert.Equal("4+same=v", await reader.NextAsync());
        await Engine.ResetAsync();
        for (var i = 0; i < 6; i++) _machine.Put("other life");
        _scheduler.Run();
        Assert.Equal(1UL, Assert.IsType<ChangesLostException>(await reader.FailureAsync()).OldestIndex);
        await Engine.ResetAsync();
        await using var fresh = new FeedReader(Engine);
        await using var future = new FeedReader(Engine, from: 4);
        _scheduler.Run();
        _machine.Install(snapshot);
        _scheduler.Run();
        Assert.Equal(4UL, Assert.IsType<ChangesLostException>(await fresh.FailureAsync()).OldestIndex);
        _machine.Put("more");
        _scheduler.Run();
        Assert.Equal("4+more=v", await future.NextAsync());
        await using var zero = new FeedReader(Engine, from: 0);
        Assert.Equal(4UL, Assert.IsType<ChangesLostException>(await zero.FailureAsync()).OldestIndex);
    }

    /// <summary>A reader that stands still costs no segment that a database without readers does not have.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ReaderBetweenStepsKeepsNoSegment(bool hasReader)
    {
        using var database = new Database(scheduler: _scheduler);
        using var engine = database.Open();
        var reader = hasReader ? new FeedReader(engine) : null;
        for (var round = 0UL; round < 8; round++)
        {
            for (var i = 0UL; i < 10; i++) Apply(engine, (round * 10) + i + 1, $"k{i}");
            if (round == 0 && reader is not null) Assert.Equal("1+k0=v", FeedReader.Text(await NextAsync(reader)));
            var compaction = engine.CompactAsync();
            while (!compaction.IsCompleted) _scheduler.Run();
        }

        Assert.InRange(database.Files(".wal").Length, 1, 3);
        if (reader is not null) await reader.DisposeAsync();

        async Task<Change> NextAsync(FeedReader of)
        {
            _scheduler.Run();
            return await of.NextChangeAsync();
        }
    }

    [Fact]
    public async Task ReadOnlyEngineGivesMoreAfterItCatchesUp()
    {
        using var database = new Database();
        using var writer = database.Open(Kept);
        Apply(writer, 1, "a");
        using var follower = database.Open(Kept with { ReadOnly = true });
        await using var reader = new FeedReader(follower);
        Assert.Equal("1+a=v", await reader.NextAsync());
        Apply(writer, 2, "b");
        await writer.CompactAsync();
        Apply(writer, 3, "c");
        Assert.True(reader.IsWaiting);
        Assert.True(follower.TryCatchUp());
        Assert.Equal("2+b=v", await reader.NextAsync());
        Assert.Equal("3+c=v", await reader.NextAsync());
        await writer.ResetAsync();
        Apply(writer, 1, "d");
        Assert.True(follower.TryCatchUp());
        Assert.IsType<ChangesLostException>(await reader.FailureAsync());
        await using var fresh = new FeedReader(follower);
        Assert.Equal("1+d=v", await fresh.NextAsync());
    }

    private static void Apply(LsmStateMachine engine, ulong index, string key) =>
        engine.ApplyChunk(
            [new ApplyEntry(index, 1, Command.Insert(Bytes(key), Bytes("v")))], new ApplyResult[1]);
}
