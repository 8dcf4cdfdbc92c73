namespace Varve.Tests.Conformance.Rules;

/// <summary>A chunk is applied whole and in order, or not at all.</summary>
public abstract class ChunkRules<TFactory> : MachineTest<TFactory> where TFactory : IMachineFactory, new()
{
    private async Task RefusedAsync<TException>(params ApplyEntry[] chunk) where TException : Exception
    {
        var (applied, scan, count) = (Machine.LastApplied, Scan(), Machine.Count);
        await Assert.ThrowsAsync<TException>(async () => await Machine.ApplyChunkAsync(chunk));
        Assert.Equal(applied, Machine.LastApplied);
        Assert.Equal(scan, Scan());
        Assert.Equal(count, Machine.Count);
    }

    [Fact]
    public async Task NewMachineIsEmptyAtIndexZero()
    {
        Assert.True(Machine.IsRunning);
        Assert.Equal(new LogId(0, 0), Machine.LastApplied);
        Assert.Equal(0, Machine.Count);
        Assert.True(Machine.IsEmpty);
        Assert.Null(Machine.SnapshotMetadata);
        Assert.Equal("", Scan());
        Assert.Equal(0UL, Machine.ScanPrefix(default).Revision);
        await ExpectAsync([true], Noop(1));
    }

    [Fact]
    public async Task EveryCommandHasItsEffect()
    {
        await ExpectAsync(
            [true, true, true, true, false, true], Put(1, "a", "1"), Put(2, "b", "2"), Delete(3, "a"),
            Swap(4, "b", "2", "3"), Swap(5, "b", "2", "4"), Noop(6));
        Assert.Null(Get("a"));
        Assert.Equal("3", Get("b"));
        Assert.Equal("b=3", Scan());
        Assert.Equal(1, Machine.Count);
        Assert.Equal(new LogId(6, 1), Machine.LastApplied);
    }

    [Fact]
    public async Task EmptyChunkIsAcceptedAndChangesNothing()
    {
        await ApplyAsync(Put(1, "a", "1"));
        Assert.Empty(await ApplyAsync());
        Assert.Equal(new LogId(1, 1), Machine.LastApplied);
    }

    [Fact]
    public async Task NoopAdvancesIndexOnly()
    {
        await ApplyAsync(Put(1, "a", "1"));
        await ExpectAsync([true, true], Noop(2), Noop(3, term: 4));
        Assert.Equal(new LogId(3, 4), Machine.LastApplied);
        Assert.Equal("a=1", Scan());
    }

    [Fact]
    public async Task DeletingAbsentKeySucceeds()
    {
        await ExpectAsync([true, true, true], Delete(1, "a"), Put(2, "a", "1"), Delete(3, "a"));
        await ExpectAsync([true], Delete(4, "a"));
        Assert.Equal(0, Machine.Count);
    }

    [Fact]
    public async Task LastWriteOfChunkWins()
    {
        await ApplyAsync(
            Put(1, "a", "1"), Delete(2, "a"), Put(3, "a", "2"), Put(4, "a", "3"), Put(5, "b", "1"), Delete(6, "b"));
        Assert.Equal("a=3", Scan());
        Assert.Equal(1, Machine.Count);
    }

    [Fact]
    public async Task GapBeforeChunkIsRefused()
    {
        await ApplyAsync(Put(1, "a", "1"));
        await RefusedAsync<LogGapException>(Put(3, "a", "2"));
        await ExpectAsync([true], Put(2, "a", "2"));
    }

    [Fact]
    public async Task GapInsideChunkRefusesWholeChunk()
    {
        await ApplyAsync(Put(1, "a", "1"));
        await RefusedAsync<LogGapException>(Put(2, "a", "2"), Put(4, "b", "2"));
    }

    [Fact]
    public async Task GapErrorNamesExpectedIndex()
    {
        await ApplyAsync(Put(1, "a", "1"));
        var gap = await Assert.ThrowsAsync<LogGapException>(
            async () => await Machine.ApplyChunkAsync(new[] { Noop(9) }));
        Assert.Equal((2UL, 9UL), (gap.ExpectedIndex, gap.ActualIndex));
    }

    [Fact]
    public async Task AllowedGapIsAccepted()
    {
        var machine = Open("gaps", Options with { LogGaps = LogGapPolicy.Allow });
        await ExpectFromAsync(machine, [true, true], Put(5, "a", "1"), Put(9, "b", "2"));
        await ExpectFromAsync(machine, [true], Put(1_000_000, "c", "3", term: 2));
        Assert.Equal(new LogId(1_000_000, 2), machine.LastApplied);
        Assert.Equal("a=1 b=2 c=3", ScanOf(machine));
        Assert.Equal(1UL, machine.EntryTerm(9));
        Assert.Null(machine.EntryTerm(7));
        Assert.Null(machine.EntryTerm(999_999));
    }

    [Fact]
    public async Task NonIncreasingIndexesInChunkAreRefused()
    {
        await ApplyAsync(Put(1, "a", "1"));
        await RefusedAsync<ArgumentException>(Put(2, "a", "2"), Put(2, "a", "3"));
        await RefusedAsync<ArgumentException>(Put(2, "a", "2"), Put(3, "a", "3"), Put(2, "a", "4"));
    }

    [Fact]
    public async Task LowerTermIsRefused()
    {
        await ApplyAsync(Put(1, "a", "1", term: 5));
        await RefusedAsync<ArgumentException>(Put(2, "a", "2", term: 4));
        await RefusedAsync<ArgumentException>(Put(2, "a", "2", term: 6), Put(3, "a", "2", term: 5));
        await ExpectAsync([true], Put(2, "a", "2", term: 5));
    }

    [Fact]
    public async Task EmptyKeyRefusesWholeChunk()
    {
        await ApplyAsync(Put(1, "a", "1"));
        await RefusedAsync<ArgumentException>(Put(2, "b", "2"), Put(3, "", "3"));
        await RefusedAsync<ArgumentException>(Delete(2, ""));
        await RefusedAsync<ArgumentException>(Swap(2, "", null, "1"));
    }

    [Fact]
    public async Task LongestKeyIsStoredAndOneByteMoreIsRefused()
    {
        string longest = new('k', 65_535);
        await ApplyAsync(Put(1, longest, "1"), Put(2, longest[1..], "2"));
        Assert.Equal("1", Get(longest));
        Assert.Equal("2", Get(longest[1..]));
        Assert.Equal(2, Machine.ScanPrefix(Bytes("kkk")).Entries.Count);
        await RefusedAsync<ArgumentException>(Put(3, longest + "k", "3"));
    }

    [Fact]
    public async Task ValueAboveOneGiBIsRefused()
    {
        await ApplyAsync(Put(1, "a", "1"));
        var huge = GC.AllocateUninitializedArray<byte>((1 << 30) + 1);
        await RefusedAsync<ArgumentException>(new ApplyEntry(2, 1, Command.Insert(Bytes("a"), huge)));
        await RefusedAsync<ArgumentException>(
            new ApplyEntry(2, 1, Command.CompareAndSwap(Bytes("a"), Bytes("1"), huge)));
    }

    [Fact]
    public async Task ValueLargerThanMemtableIsStored()
    {
        var large = new byte[200_000];
        new Random(1).NextBytes(large);
        await Machine.ApplyChunkAsync(
            new[] { Put(1, "a", "1"), new ApplyEntry(2, 1, Command.Insert(Bytes("b"), large)), Put(3, "c", "3") });
        Assert.Equal(large, Machine.Get(Bytes("b")));
        await ReopenAsync();
        Assert.Equal(large, Machine.Get(Bytes("b")));
        Assert.Equal(3, Machine.Count);
    }

    [Fact]
    public async Task LargeChunkIsAtomicAcrossReopen()
    {
        var chunk = Enumerable.Range(1, 5_000).Select(i => Put((ulong)i, $"k{i % 3_000:d5}", $"value {i}")).ToArray();
        await ApplyAsync(chunk);
        Assert.Equal(3_000, Machine.Count);
        await ReopenAsync();
        Assert.Equal(new LogId(5_000, 1), Machine.LastApplied);
        Assert.Equal(3_000, Machine.Count);
        Assert.Equal("value 3001", Get("k00001"));
    }

    [Fact]
    public async Task CancelledChunkIsNotApplied()
    {
        await ApplyAsync(Put(1, "a", "1"));
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Machine.ApplyChunkAsync(new[] { Put(2, "a", "2") }, cancelled));
        Assert.Equal("1", Get("a"));
        Assert.Equal(1UL, Machine.LastApplied.Index);
    }

    [Fact]
    public async Task CallersBuffersMayChangeAfterApply()
    {
        var key = Bytes("a");
        var value = Bytes("1");
        await Machine.ApplyChunkAsync(new[] { new ApplyEntry(1, 1, Command.Insert(key, value)) });
        key[0] = (byte)'z';
        value[0] = (byte)'9';
        Assert.Equal("a=1", Scan());
    }
}
