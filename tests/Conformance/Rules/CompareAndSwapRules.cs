namespace Varve.Tests.Conformance.Rules;

/// <summary>A compare-and-swap sees exactly the state before it.</summary>
public abstract class CompareAndSwapRules<TFactory> : MachineTest<TFactory> where TFactory : IMachineFactory, new()
{
    protected override EngineOptions Options => base.Options with { LeaseClock = LeaseClock.Log };

    [Fact]
    public async Task ExpectingAbsenceSucceedsOnlyWhenAbsent()
    {
        await ExpectAsync([true, false], Swap(1, "a", null, "1"), Swap(2, "a", null, "2"));
        await ExpectAsync([false], Swap(3, "a", null, "3"));
        Assert.Equal("1", Get("a"));
    }

    [Fact]
    public async Task ExpectingValueSucceedsOnlyWhenEqual()
    {
        await ExpectAsync([false], Swap(1, "a", "1", "2"));
        await ApplyAsync(Put(2, "a", "1"));
        await ExpectAsync(
            [false, false, false, true], Swap(3, "a", "11", "x"), Swap(4, "a", "", "x"), Swap(5, "a", "2", "x"),
            Swap(6, "a", "1", "y"));
        Assert.Equal("y", Get("a"));
    }

    [Fact]
    public async Task EmptyValueIsNotAbsence()
    {
        await ExpectAsync([true, false, true], Put(1, "a", ""), Swap(2, "a", null, "x"), Swap(3, "a", "", "y"));
        await ExpectAsync([true, true], Swap(4, "a", "y", ""), Swap(5, "b", null, ""));
        Assert.Equal("a= b=", Scan());
        Assert.Equal("", Get("a"));
        await ExpectAsync([false, false], Swap(6, "c", "", "x"), Swap(7, "b", null, "x"));
        Assert.Equal(2, Machine.Count);
    }

    [Fact]
    public async Task EarlierWriteInChunkIsSeen()
    {
        await ExpectAsync(
            [true, true, false, true, true, true], Put(1, "a", "1"), Swap(2, "a", "1", "2"), Swap(3, "a", "1", "3"),
            Delete(4, "a"), Swap(5, "a", null, "5"), Swap(6, "a", "5", "6"));
        Assert.Equal("6", Get("a"));
    }

    [Fact]
    public async Task FailedSwapChangesNothing()
    {
        await ApplyAsync(Put(1, "a", "1"));
        await ExpectAsync([false], Swap(2, "a", "2", "3"));
        Assert.Equal("a=1", Scan());
        Assert.Equal(2UL, Machine.LastApplied.Index);
    }

    [Fact]
    public async Task SwapTreatsExpiredKeyAsAbsent()
    {
        await ApplyAsync(Put(1, "a", "1", ttl: 1, time: 1_000));
        await ExpectAsync([false, true], Swap(2, "a", "1", "2", time: 2_000), Swap(3, "a", null, "3", time: 2_000));
        Assert.Equal("3", Get("a"));
    }

    [Fact]
    public async Task SuccessfulSwapClearsLease()
    {
        await ApplyAsync(
            Put(1, "a", "1", ttl: 1, time: 1_000), Swap(2, "a", "1", "2", time: 1_500), Noop(3, time: 9_000));
        Assert.Equal("2", Get("a"));
        Assert.Empty(await Machine.LeaseBackgroundCleanupAsync());
        Assert.Equal("2", Get("a"));
    }

    [Fact]
    public async Task FailedSwapKeepsLease()
    {
        await ApplyAsync(Put(1, "a", "1", ttl: 1, time: 1_000), Swap(2, "a", "x", "2", time: 1_500));
        Assert.Equal("1", Get("a"));
        await ApplyAsync(Noop(3, time: 2_000));
        Assert.Null(Get("a"));
    }

    [Fact]
    public async Task ReplayGivesOriginalOutcomes()
    {
        await ApplyAsync(Put(1, "a", "0"));
        var outcomes = new List<bool>();
        for (ulong index = 2; index <= 200; index++)
            outcomes.AddRange(await ApplyAsync(Swap(index, "a", $"{(index - 2) / 2}", $"{(index - 2) / 2 + 1}")));
        var value = Get("a");
        await ReopenAsync();
        Assert.Equal(value, Get("a"));
        for (ulong index = 2; index <= 200; index++)
            await ExpectAsync([outcomes[(int)index - 2]], Swap(index, "a", $"{(index - 2) / 2}", "never"));
        Assert.Equal(value, Get("a"));
    }
}
