using System.Text;

namespace Varve.Tests.Conformance.Rules;

/// <summary>A key with a lease is absent everywhere from its deadline on, whichever clock tells the time.</summary>
public abstract class LeaseRules<TFactory> : MachineTest<TFactory> where TFactory : IMachineFactory, new()
{
    private EngineOptions LogClock => Options with { LeaseClock = LeaseClock.Log };

    private static string Text(IReadOnlyList<ReadOnlyMemory<byte>> keys) =>
        string.Join(' ', keys.Select(key => Encoding.UTF8.GetString(key.Span)).Order(StringComparer.Ordinal));

    [Fact]
    public async Task LocalClockExpiresKeyAtItsDeadlineAndNotBefore()
    {
        await ApplyAsync(Put(1, "a", "1", ttl: 10), Put(2, "b", "2"));
        Clock.Advance(TimeSpan.FromMilliseconds(9_999));
        Assert.Equal("a=1 b=2", Scan());
        Assert.Equal(2, Machine.Count);
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(Get("a"));
        Assert.Equal([null, Bytes("2")], Machine.GetMulti([Bytes("a"), Bytes("b")]));
        Assert.Equal("b=2", Scan());
        Assert.Equal(1, Machine.Count);
    }

    [Fact]
    public async Task LocalClockNeverRunsBackward()
    {
        await ApplyAsync(Put(1, "a", "1", ttl: 10));
        Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(Get("a"));
        Clock.AdjustTime(Clock.GetUtcNow() - TimeSpan.FromSeconds(60));
        Assert.Null(Get("a"));
        await ExpectAsync([true], Swap(2, "a", null, "2"));
    }

    [Fact]
    public async Task LocalClockIsReadOnceWhenEntryIsFirstApplied()
    {
        await ApplyAsync(Put(1, "a", "1", ttl: 10));
        Clock.Advance(TimeSpan.FromSeconds(6));
        await ApplyAsync(Put(1, "a", "1", ttl: 10));
        await ReopenAsync();
        Clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Null(Get("a"));
    }

    [Fact]
    public async Task LocalClockIgnoresTimestamps()
    {
        await ApplyAsync(Put(1, "a", "1", ttl: 10, time: 5), Noop(2, time: ulong.MaxValue));
        Assert.Equal("1", Get("a"));
    }

    [Fact]
    public async Task LogClockExpiresKeyByTimestampsOfLog()
    {
        var machine = Open("log", LogClock);
        await ApplyToAsync(machine, Put(1, "a", "1", ttl: 10, time: 50_000));
        Clock.Advance(TimeSpan.FromDays(1_000));
        await ApplyToAsync(machine, Noop(2, time: 59_999));
        Assert.Equal("1", GetFrom(machine, "a"));
        await ApplyToAsync(machine, Noop(3, time: 60_000));
        Assert.Null(GetFrom(machine, "a"));
        Assert.Equal("", ScanOf(machine));
        Assert.Equal(0, machine.Count);
    }

    [Fact]
    public async Task LogClockNeverRunsBackward()
    {
        var machine = Open("log", LogClock);
        await ApplyToAsync(
            machine, Put(1, "a", "1", ttl: 1, time: 1_000), Noop(2, time: 2_000), Noop(3, time: 5), Noop(4));
        Assert.Null(GetFrom(machine, "a"));
        await ApplyToAsync(machine, Put(5, "b", "1", ttl: 1, time: 100));
        await ApplyToAsync(machine, Noop(6, time: 2_999));
        Assert.Equal("1", GetFrom(machine, "b"));
        await ApplyToAsync(machine, Noop(7, time: 3_000));
        Assert.Null(GetFrom(machine, "b"));
    }

    [Fact]
    public async Task LogTimeOfEntryIncludesItsOwnTimestamp()
    {
        var machine = Open("log", LogClock);
        await ExpectFromAsync(
            machine, [true, true, false], Put(1, "a", "1", ttl: 1, time: 1_000), Swap(2, "a", null, "2", time: 2_000),
            Swap(3, "a", null, "3", time: 2_000));
        Assert.Equal("2", GetFrom(machine, "a"));
    }

    [Fact]
    public async Task FailedSwapAndDeleteAdvanceLogTime()
    {
        var machine = Open("log", LogClock);
        await ApplyToAsync(machine, Put(1, "a", "1", ttl: 1, time: 1_000), Put(2, "b", "1", ttl: 3, time: 1_000));
        await ApplyToAsync(machine, Swap(3, "z", "x", "y", time: 2_000));
        Assert.Equal("b=1", ScanOf(machine));
        await ApplyToAsync(machine, Delete(4, "z", time: 4_000));
        Assert.Equal("", ScanOf(machine));
    }

    [Fact]
    public async Task LogTimeSurvivesReopeningAndFlushing()
    {
        var machine = Open("log", LogClock);
        await ApplyToAsync(
            machine, Put(1, "a", "1", ttl: 1, time: 1_000), Put(2, "b", "2", ttl: 5, time: 1_000),
            Noop(3, time: 2_000));
        for (var round = 0; round < 2; round++)
        {
            machine.Flush();
            await machine.DisposeAsync();
            machine = Open("log", LogClock);
            Assert.Equal("b=2", ScanOf(machine));
        }
        await ApplyToAsync(machine, Noop(4, time: 6_000));
        Assert.Equal("", ScanOf(machine));
    }

    [Fact]
    public async Task PlainInsertClearsLease()
    {
        await ApplyAsync(Put(1, "a", "1", ttl: 1), Put(2, "a", "2"));
        Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal("2", Get("a"));
        Assert.Empty(await Machine.LeaseBackgroundCleanupAsync());
        Assert.Equal("2", Get("a"));
    }

    [Fact]
    public async Task LaterLeaseReplacesEarlierLease()
    {
        await ApplyAsync(
            Put(1, "a", "1", ttl: 1), Put(2, "a", "2", ttl: 100), Put(3, "b", "1", ttl: 100), Put(4, "b", "2", ttl: 1));
        Clock.Advance(TimeSpan.FromSeconds(50));
        Assert.Equal("a=2", Scan());
        Assert.Equal("b", Text(await Machine.LeaseBackgroundCleanupAsync()));
        Assert.Equal("a=2", Scan());
    }

    [Fact]
    public async Task OverflowingLeaseNeverExpires()
    {
        var machine = Open("log", LogClock);
        await ApplyToAsync(
            machine, Put(1, "a", "1", ttl: ulong.MaxValue, time: 1_000),
            Put(2, "b", "1", ttl: ulong.MaxValue / 1_000, time: 1_000_000));
        await ApplyToAsync(machine, Noop(3, time: ulong.MaxValue - 1));
        Assert.Equal("a=1 b=1", ScanOf(machine));
        await ApplyAsync(Put(1, "a", "1", ttl: ulong.MaxValue));
        Clock.Advance(TimeSpan.FromDays(100_000));
        Assert.Equal("a=1", Scan());
    }

    [Fact]
    public async Task CleanupReturnsExpiredKeysOnce()
    {
        await ApplyAsync(
            Put(1, "a", "1", ttl: 1), Put(2, "b", "2", ttl: 2), Put(3, "c", "3", ttl: 9), Put(4, "d", "4"));
        Assert.Empty(await Machine.LeaseBackgroundCleanupAsync());
        Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("a b", Text(await Machine.LeaseBackgroundCleanupAsync()));
        Assert.Empty(await Machine.LeaseBackgroundCleanupAsync());
        Assert.Equal("c=3 d=4", Scan());
        Assert.Equal(new LogId(4, 1), Machine.LastApplied);
        await ReopenAsync();
        Assert.Empty(await Machine.LeaseBackgroundCleanupAsync());
    }

    [Fact]
    public async Task CleanupFindsLeasesThatWereFlushedAndReopened()
    {
        await ApplyAsync(Put(1, "a", "1", ttl: 10), Put(2, "b", "2", ttl: 10), Put(3, "c", "3", ttl: 10));
        await ApplyAsync(Put(4, "b", "2"), Delete(5, "c"));
        await ReopenAsync();
        Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("a", Text(await Machine.LeaseBackgroundCleanupAsync()));
        Assert.Equal("b=2", Scan());
    }

    [Fact]
    public async Task CleanupUsesLogClock()
    {
        var machine = Open("log", LogClock);
        await ApplyToAsync(machine, Put(1, "a", "1", ttl: 1, time: 1_000));
        Clock.Advance(TimeSpan.FromDays(1));
        Assert.Empty(await machine.LeaseBackgroundCleanupAsync());
        await ApplyToAsync(machine, Noop(2, time: 2_000));
        Assert.Equal("a", Text(await machine.LeaseBackgroundCleanupAsync()));
    }

    [Fact]
    public async Task ExpiredKeyCanBeWrittenAgain()
    {
        await ApplyAsync(Put(1, "a", "1", ttl: 1));
        Clock.Advance(TimeSpan.FromSeconds(2));
        await ApplyAsync(Put(2, "a", "2"));
        Assert.Empty(await Machine.LeaseBackgroundCleanupAsync());
        Assert.Equal("a=2", Scan());
        await ReopenAsync();
        Assert.Equal("a=2", Scan());
        Assert.Equal(1, Machine.Count);
    }

    [Fact]
    public async Task ExpiryDoesNotReviveOlderValue()
    {
        await ApplyAsync(Put(1, "a", "old"));
        Machine.Flush();
        await ApplyAsync(Put(2, "a", "leased", ttl: 1));
        Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(Get("a"));
        await Machine.LeaseBackgroundCleanupAsync();
        Assert.Equal("", Scan());
        await ReopenAsync();
        Assert.Equal("", Scan());
        Assert.Equal(0, Machine.Count);
    }
}
