namespace Varve.Tests.Conformance.Rules;

/// <summary>The applied position and the terms of entries.</summary>
public abstract class PositionRules<TFactory> : MachineTest<TFactory> where TFactory : IMachineFactory, new()
{
    [Fact]
    public async Task EntryTermIsKnownForEveryAppliedEntry()
    {
        await ApplyAsync(Noop(1), Noop(2), Noop(3, term: 4), Noop(4, term: 4));
        await ApplyAsync(Noop(5, term: 4), Noop(6, term: 9));
        ulong?[] expected = [1, 1, 4, 4, 4, 9, null];
        Assert.Equal(expected, Enumerable.Range(1, 7).Select(i => Machine.EntryTerm((ulong)i)));
        Assert.Null(Machine.EntryTerm(ulong.MaxValue));
        await ReopenAsync();
        Assert.Equal(expected, Enumerable.Range(1, 7).Select(i => Machine.EntryTerm((ulong)i)));
        Machine.Flush();
        await ReopenAsync();
        Assert.Equal(expected, Enumerable.Range(1, 7).Select(i => Machine.EntryTerm((ulong)i)));
    }

    [Fact]
    public async Task AppliedPositionSurvivesReopening()
    {
        await ApplyAsync(Put(1, "a", "1"), Noop(2, term: 7));
        await ReopenAsync();
        Assert.Equal(new LogId(2, 7), Machine.LastApplied);
        Assert.Equal("a=1", Scan());
    }

    [Fact]
    public async Task UpdatingPositionForwardMovesIt()
    {
        await ApplyAsync(Put(1, "a", "1"));
        Machine.UpdateLastApplied(new LogId(5, 2));
        Assert.Equal(new LogId(5, 2), Machine.LastApplied);
        Assert.Null(Machine.EntryTerm(3));
        Assert.Equal("a=1", Scan());
        Assert.Equal(5UL, Machine.ScanPrefix([]).Revision);
        await ExpectAsync([true], Put(6, "b", "2", term: 2));
        await ReopenAsync();
        Assert.Equal(new LogId(6, 2), Machine.LastApplied);
        Assert.Equal("a=1 b=2", Scan());
    }

    [Fact]
    public async Task UpdatingPositionBackwardThrows()
    {
        await ApplyAsync(Noop(1), Noop(2), Noop(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Machine.UpdateLastApplied(new LogId(2, 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Machine.PersistLastApplied(new LogId(0, 0)));
        Assert.Equal(new LogId(3, 1), Machine.LastApplied);
    }

    [Fact]
    public async Task UpdatingPositionToItselfDoesNothing()
    {
        Machine.UpdateLastApplied(new LogId(0, 0));
        await ApplyAsync(Noop(1, term: 3));
        Machine.UpdateLastApplied(new LogId(1, 3));
        Machine.PersistLastApplied(new LogId(1, 3));
        Assert.Equal(new LogId(1, 3), Machine.LastApplied);
    }

    [Fact]
    public async Task PersistedPositionSurvivesReopening()
    {
        await ApplyAsync(Put(1, "a", "1"));
        Machine.PersistLastApplied(new LogId(8, 2));
        await ReopenAsync();
        Assert.Equal(new LogId(8, 2), Machine.LastApplied);
        Assert.Equal("a=1", Scan());
        await Assert.ThrowsAsync<LogGapException>(async () => await ApplyAsync(Noop(10, term: 2)));
        await ApplyAsync(Noop(9, term: 2));
    }

    [Fact]
    public async Task SaveHardStateAndFlushKeepEverything()
    {
        await ApplyAsync(Put(1, "a", "1"));
        Machine.SaveHardState();
        Machine.Flush();
        await Machine.FlushAsync();
        Machine.Flush();
        await ApplyAsync(Put(2, "b", "2"));
        Machine.SaveHardState();
        await ReopenAsync();
        Assert.Equal("a=1 b=2", Scan());
    }

    [Fact]
    public async Task SnapshotMetadataIsAsRecorded()
    {
        await ApplyAsync(Noop(1), Noop(2));
        var first = new SnapshotMetadata(new LogId(1, 1), new byte[32]);
        Machine.UpdateLastSnapshotMetadata(first);
        Assert.Equal(first, Machine.SnapshotMetadata);
        var sum = new byte[32];
        sum[31] = 7;
        var second = new SnapshotMetadata(new LogId(2, 1), sum);
        Machine.PersistLastSnapshotMetadata(second);
        Assert.Equal(second, Machine.SnapshotMetadata);
        Machine.UpdateLastSnapshotMetadata(first); // never back
        Assert.Equal(second, Machine.SnapshotMetadata);
        Assert.ThrowsAny<ArgumentException>(
            () => Machine.UpdateLastSnapshotMetadata(new SnapshotMetadata(new LogId(3, 1), sum)));
        Assert.ThrowsAny<ArgumentException>(
            () => Machine.UpdateLastSnapshotMetadata(new SnapshotMetadata(new LogId(0, 1), sum)));
        await ReopenAsync();
        Assert.Equal(second, Machine.SnapshotMetadata);
        Assert.Equal(1UL, Machine.EntryTerm(2));
    }
}
