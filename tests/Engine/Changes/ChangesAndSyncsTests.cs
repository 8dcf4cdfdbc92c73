using System.Text;
using Varve.Background;
using Varve.Storage;
using Varve.Tests.Engine.Leases;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Changes;

/// <summary>Under Power an entry is in the log before it is visible: readers of changes tell the two apart.</summary>
public sealed class ChangesAndSyncsTests : IDisposable
{
    private readonly FaultInjector _storage = new(Storages.Default);
    private readonly LeaseMachine _machine;

    public ChangesAndSyncsTests() => _machine = new LeaseMachine(
        Database.Small with { HistoryEntries = 1 << 20, Durability = Durability.Power }, new EngineSeams(_storage));

    private LsmStateMachine Engine => _machine.Engine;

    public void Dispose() => _machine.Dispose();

    [Fact]
    public async Task SyncComesBeforeChange()
    {
        _machine.Put("a", ttl: 1);
        FeedReader? early = null;
        var sawNothing = false;
        DuringNextSync(() =>
        {
            early = new FeedReader(Engine, from: 2);
            sawNothing = early.IsWaiting;
        });
        _machine.Put("b", ttl: 1);
        Assert.True(sawNothing);
        await using var reader = early!;
        Assert.Equal("2+b=v", await reader.NextAsync());
        _machine.Advance(1);
        await Engine.LeaseBackgroundCleanupAsync();
        Assert.Equal("2!a", await reader.NextAsync());
        Assert.Equal("2!b", await reader.NextAsync());
        Assert.Equal(2UL, Engine.DurableLogId.Index);
    }

    /// <summary>The key is written after the entry at which the clean-up searches, and before its record.</summary>
    [Fact]
    public async Task KeyWrittenSinceSearchDoesNotExpire()
    {
        _machine.Put("a", ttl: 1);
        _machine.Put("b", ttl: 1);
        _machine.Advance(1);
        _machine.Put("later");
        Task<IReadOnlyList<ReadOnlyMemory<byte>>>? report = null;
        DuringNextSync(() => report = Engine.LeaseBackgroundCleanupAsync());
        _machine.Apply(Command.Insert("a"u8.ToArray(), "new"u8.ToArray()));
        Assert.Equal(["a", "b"], (await report!).Select(key => Encoding.UTF8.GetString(key.Span)));
        await using var reader = new FeedReader(Engine);
        foreach (var change in "1+a=v 2+b=v 3+later=v 4+a=new 4!b".Split(' '))
            Assert.Equal(change, await reader.NextAsync());
        Assert.True(reader.IsWaiting);
    }

    /// <summary>During the next sync of this thread's, not that of a segment that is made for later.</summary>
    private void DuringNextSync(Action action)
    {
        var applier = Environment.CurrentManagedThreadId;
        _storage.Before = (operation, _) =>
        {
            if (operation != "sync" || Environment.CurrentManagedThreadId != applier) return;
            _storage.Before = null;
            action();
        };
    }
}
