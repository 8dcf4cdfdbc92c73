namespace Varve.Tests.Conformance.Rules;

/// <summary>
/// A conditional delete and a renewal see exactly the state before them, and change nothing if they fail.
/// </summary>
public abstract class ConditionalRules<TFactory> : MachineTest<TFactory> where TFactory : IMachineFactory, new()
{
    protected override EngineOptions Options => base.Options with { LeaseClock = LeaseClock.Log };

    [Fact]
    public async Task CompareAndDeleteRemovesExpectedValueOnly()
    {
        await ExpectAsync(
            [true, false, false, true, false], Put(1, "a", "1"), DeleteIf(2, "a", "2"), DeleteIf(3, "a", ""),
            DeleteIf(4, "a", "1"), DeleteIf(5, "a", "1"));
        Assert.Null(Get("a"));
        Assert.Equal(0, Machine.Count);
    }

    [Fact]
    public async Task CompareAndDeleteRemovesExpectedEmptyValue()
    {
        await ExpectAsync([false, true, true], DeleteIf(1, "a", ""), Put(2, "a", ""), DeleteIf(3, "a", ""));
        Assert.Equal(0, Machine.Count);
    }

    [Fact]
    public async Task RenewalKeepsValueAndMovesDeadline()
    {
        await ApplyAsync(Put(1, "a", "value", ttl: 2, time: 1_000), Renew(2, "a", 5, time: 2_000));
        await ApplyAsync(Noop(3, time: 6_999));
        Assert.Equal("value", Get("a"));
        await ApplyAsync(Noop(4, time: 7_000));
        Assert.Null(Get("a"));
        Assert.Equal("a"u8.ToArray(), Assert.Single(await Machine.LeaseBackgroundCleanupAsync()).ToArray());
    }

    [Fact]
    public async Task RenewalWithoutTtlMakesKeyPermanent()
    {
        await ApplyAsync(
            Put(1, "a", "value", ttl: 2, time: 1_000), Renew(2, "a", 0, time: 2_000), Noop(3, time: 900_000));
        Assert.Equal("value", Get("a"));
        Assert.Empty(await Machine.LeaseBackgroundCleanupAsync());
    }

    [Fact]
    public async Task RenewalOfAbsentOrExpiredKeyFails()
    {
        await ExpectAsync([false, true], Renew(1, "a", 9, time: 1_000), Put(2, "b", "1", ttl: 1, time: 1_000));
        await ExpectAsync([false], Renew(3, "b", 9, time: 2_000));
        Assert.Equal(0, Machine.Count);
    }

    [Fact]
    public async Task RenewalSeesValuesOfItsChunk()
    {
        var large = new string('x', 5_000);
        await ExpectAsync(
            [true, true, true, true, true, false], Put(1, "a", "1", time: 1_000), Renew(2, "a", 9, time: 1_000),
            Put(3, "a", large, time: 1_000), Renew(4, "a", 9, time: 1_000), Delete(5, "a"), Renew(6, "a", 9));
        Assert.Equal(0, Machine.Count);
        await ExpectAsync(
            [true, true, true], Put(7, "b", large, time: 1_000), Renew(8, "b", 9), Put(9, "c", "after it"));
        Assert.Equal($"b={large} c=after it", Scan());
    }

    [Fact]
    public async Task InsertIfAbsentTakesFreeLeaseOnly()
    {
        ApplyEntry Take(ulong index, string holder, ulong time) =>
            new(index, 1, Command.InsertIfAbsent("lock", holder, ttlSeconds: 2), time);
        await ExpectAsync([true, false], Take(1, "one", 1_000), Take(2, "two", 2_999));
        await ExpectAsync([true], Take(3, "two", 3_000));
        Assert.Equal("two", Machine.GetString("lock"));
    }

    [Fact]
    public async Task DuplicatesGetFirstOutcome()
    {
        await ExpectAsync(
            [true, false, true, true], Put(1, "a", "1"), Renew(2, "b", 9), DeleteIf(3, "a", "1"), Noop(4));
        await ReopenAsync();
        await ExpectAsync(
            [true, false, true, true], Put(1, "a", "1"), Renew(2, "b", 9), DeleteIf(3, "a", "1"), Noop(4));
        Assert.Equal(0, Machine.Count);
    }

    [Fact]
    public async Task StateSurvivesFlushCompactionAndReopen()
    {
        await ApplyAsync(Put(1, "a", "1", time: 1_000), Put(2, "b", "2", ttl: 5, time: 1_000), Put(3, "c", "3"));
        Machine.Flush();
        await ApplyAsync(Renew(4, "b", 100, time: 2_000), DeleteIf(5, "c", "3"), Renew(6, "a", 1, time: 2_000));
        if (Machine is LsmStateMachine engine) await engine.CompactAsync();
        await ReopenAsync();
        Assert.Equal("a=1 b=2", Scan());
        await ApplyAsync(Noop(7, time: 90_000));
        Assert.Equal("b=2", Scan());
    }

    private static ApplyEntry DeleteIf(ulong index, string key, string expected) =>
        new(index, 1, Command.CompareAndDelete(key, expected));

    private static ApplyEntry Renew(ulong index, string key, ulong ttl, ulong time = 0) =>
        new(index, 1, Command.Renew(key, ttl), time);
}
