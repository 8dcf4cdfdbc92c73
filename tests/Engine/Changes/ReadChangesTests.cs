using System.Text;
using Varve.Background;
using Varve.Tests.Engine.Leases;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Changes;

/// <summary>Changes are those of the log: each once, in order, and nothing else.</summary>
public sealed class ReadChangesTests : IDisposable
{
    private static readonly EngineOptions Kept = Database.Small with { HistoryEntries = 1 << 20 };

    private readonly ManualScheduler _scheduler = new();
    private readonly LeaseMachine _machine;

    public ReadChangesTests() => _machine = new LeaseMachine(Kept, new EngineSeams(Scheduler: _scheduler));

    private LsmStateMachine Engine => _machine.Engine;

    public void Dispose() => _machine.Dispose();

    private async Task<string> All(ulong from = 1, string prefix = "") =>
        FeedReader.Text(await FeedReader.AllAsync(Engine, _scheduler, from, prefix));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    [Fact]
    public async Task EachEffectIsOneChange()
    {
        _machine.Apply(Command.Insert(Bytes("a"), Bytes("1")));
        _machine.Apply(Command.Noop);
        _machine.Apply(Command.CompareAndSwap(Bytes("a"), Bytes("1"), Bytes("2")));
        Assert.False(_machine.Apply(Command.CompareAndSwap(Bytes("a"), Bytes("1"), Bytes("3"))));
        _machine.Apply(Command.Renew(Bytes("a"), 10));
        _machine.Apply(Command.CompareAndDelete(Bytes("a"), Bytes("2")));
        Assert.False(_machine.Apply(Command.CompareAndDelete(Bytes("a"), Bytes("2"))));
        _machine.Apply(Command.Delete(Bytes("b")));
        Assert.Equal("1+a=1 3+a=2 5+a=2 6-a 8-b", await All());
        Assert.Equal("3+a=2 5+a=2 6-a 8-b", await All(from: 2));
        Assert.Equal("8-b", await All(prefix: "b"));
        Assert.Equal("", await All(from: 9));
    }

    [Fact]
    public async Task RefusedCommandIsNoChange()
    {
        using var machine = new LeaseMachine(
            Kept with { InvalidCommands = InvalidCommands.Refuse }, new EngineSeams(Scheduler: _scheduler));
        machine.Apply(Command.Insert(new byte[70_000], Bytes("1")));
        machine.Apply(Command.Insert(Bytes("a"), Bytes("1")));
        Assert.Equal("2+a=1", FeedReader.Text(await FeedReader.AllAsync(machine.Engine, _scheduler)));
    }

    [Fact]
    public async Task ChunkGivesItsChangesWithTheirOwnTerms()
    {
        Engine.ApplyChunk(
        [
            new ApplyEntry(1, 1, Command.Insert(Bytes("a"), Bytes("1"))),
            new ApplyEntry(2, 3, Command.Noop),
            new ApplyEntry(3, 3, Command.Insert(Bytes("a"), Bytes("2"))),
            new ApplyEntry(4, 7, Command.Delete(Bytes("a"))),
        ],
            new ApplyResult[4]);
        var all = await FeedReader.AllAsync(Engine, _scheduler);
        Assert.Equal("1+a=1 3+a=2 4-a", FeedReader.Text(all));
        Assert.Equal([1UL, 3UL, 7UL], all.Select(change => change.Term));
        Assert.Equal([7UL], (await FeedReader.AllAsync(Engine, _scheduler, 4)).Select(change => change.Term));
    }

    [Fact]
    public async Task ExpiryFollowsChangeOfIndexAtCleanUp()
    {
        _machine.Put("late", ttl: 20);
        _machine.Put("b", ttl: 10);
        _machine.Put("a", ttl: 10);
        _machine.Put("stays");
        _machine.Advance(10);
        Assert.Equal("a b", _machine.CleanUp());
        _machine.Advance(10);
        Assert.Equal("late", _machine.CleanUp());
        _machine.Put("next");
        Assert.Equal("1+late=v 2+b=v 3+a=v 4+stays=v 4!a 4!b 4!late 5+next=v", await All());
        Assert.Equal("4+stays=v 4!a 4!b 4!late 5+next=v", await All(from: 4));
        Assert.Equal("4!late", await All(from: 4, prefix: "l"));
        _machine.Reopen();
        Assert.Equal("4+stays=v 4!a 4!b 4!late 5+next=v", await All(from: 4));
    }

    [Fact]
    public async Task PassedOverIndexIsNoChange()
    {
        _machine.Put("a");
        Engine.UpdateLastApplied(new LogId(10, 1));
        _machine.Put("b");
        Assert.Equal("1+a=v 11+b=v", await All());
        Assert.Equal("11+b=v", await All(from: 5));
    }

    [Fact]
    public async Task FutureIndexIsWaitedFor()
    {
        _machine.Put("a");
        await using var reader = new FeedReader(Engine, from: 3);
        _machine.Put("b");
        _scheduler.Run();
        Assert.True(reader.IsWaiting);
        _machine.Put("c");
        _scheduler.Run();
        Assert.Equal("3+c=v", await reader.NextAsync());
    }

    [Fact]
    public async Task StopAndCloseEndWaitingReaders()
    {
        await using var stopped = new FeedReader(Engine);
        Engine.Stop();
        Assert.IsType<InvalidOperationException>(await stopped.FailureAsync());
        await Engine.StartAsync();
        await using var closed = new FeedReader(Engine);
        Engine.Dispose();
        Assert.IsType<ObjectDisposedException>(await closed.FailureAsync());
        await using var after = new FeedReader(Engine);
        Assert.IsType<ObjectDisposedException>(await after.FailureAsync());
        _machine.Reopen();
    }

    [Fact]
    public async Task CancellationEndsWaitingReader()
    {
        using var source = new CancellationTokenSource();
        var changes = Engine.ReadChangesAsync(1, default, source.Token).GetAsyncEnumerator(source.Token);
        var next = changes.MoveNextAsync().AsTask();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(Waiting.Patience));
        Assert.Equal(0, Engine.GetStatistics().ChangeReaders);
    }

    [Fact]
    public async Task UnreadChangesAreBoundedAndReadFromLogLater()
    {
        await using var idle = new FeedReader(Engine, scheduler: _scheduler);
        var count = (Varve.Changes.ChangeReader.CountMax * 3) + 7;
        for (var i = 0; i < count; i++)
        {
            _machine.Put($"k{i}");
            if (i % 100 == 0) _scheduler.Run();
        }

        _scheduler.Run();
        // It may have taken what waited for it; the consumer has not.
        var most = (ulong)count;
        Assert.InRange(Engine.GetStatistics().ChangeLag, most - Varve.Changes.ChangeReader.CountMax, most);
        for (var i = 0; i < count; i++)
        {
            Assert.Equal($"{i + 1}+k{i}=v", await idle.NextAsync());
            if (i % 500 != 0) continue;
            _machine.Put("more");
            _scheduler.Run();
        }

        for (var i = 0; i < (count + 499) / 500; i++) Assert.Equal($"{count + i + 1}+more=v", await idle.NextAsync());
        Assert.True(idle.IsWaiting);
        Assert.Equal((1, 0UL), (Engine.GetStatistics().ChangeReaders, Engine.GetStatistics().ChangeLag));
    }

    [Fact]
    public async Task PrefixIsCopiedByCall()
    {
        _machine.Put("a");
        _machine.Put("b");
        var prefix = Bytes("a");
        var changes = Engine.ReadChangesAsync(1, prefix);
        prefix[0] = (byte)'b';
        await foreach (var change in changes)
        {
            Assert.Equal("1+a=v", FeedReader.Text(change));
            break;
        }
    }

    [Fact]
    public async Task NestedPrefixesAllGetChange()
    {
        string[] prefixes = ["", "a", "ab", "abc", "b", "ac", "abd"];
        var readers = prefixes.Select(prefix => new FeedReader(Engine, 1, prefix)).ToArray();
        _machine.Put("abc/1");
        _scheduler.Run();
        foreach (var reader in readers[..4]) Assert.Equal("1+abc/1=v", await reader.NextAsync());
        Assert.All(readers[4..], reader => Assert.True(reader.IsWaiting));
        foreach (var reader in readers) await reader.DisposeAsync();
    }

    [Fact]
    public async Task LargeReportIsGivenInPartsEachKeyOnce()
    {
        const int Count = (Varve.Changes.ChangeReader.CountMax * 2) + 10;
        for (var i = 0; i < Count; i++) _machine.Put($"k{i:d5}", ttl: 1 + (ulong)(i % 3));
        _machine.Advance(3);
        Assert.Equal(Count, _machine.CleanUp().Split(' ').Length);
        var expired = await FeedReader.AllAsync(Engine, _scheduler, Count);
        Assert.Equal(Count + 1, expired.Count);
        var keys = expired[1..].Select(change => Encoding.UTF8.GetString(change.Key.Span)).ToList();
        var inOrder = Enumerable.Range(0, Count).OrderBy(i => i % 3).ThenBy(i => i).Select(i => $"k{i:d5}");
        Assert.Equal(inOrder, keys);
    }
}
