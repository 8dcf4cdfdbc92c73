namespace Varve.Tests.Conformance.Rules;

/// <summary>An entry that was applied before gets its first outcome and is not applied again.</summary>
public abstract class DuplicateRules<TFactory> : MachineTest<TFactory> where TFactory : IMachineFactory, new()
{
    private static readonly bool[] FirstOutcomes = [true, true, false, true];

    private static ApplyEntry[] Chunk() =>
        [Put(1, "a", "1"), Swap(2, "a", "1", "2"), Swap(3, "a", "1", "3"), Delete(4, "b")];

    [Fact]
    public async Task DuplicateGetsItsFirstOutcome()
    {
        await ExpectAsync(FirstOutcomes, Chunk());
        await ExpectAsync(FirstOutcomes, Chunk());
        Assert.Equal("a=2", Scan());
    }

    [Fact]
    public async Task DuplicateGetsItsFirstOutcomeAfterReopening()
    {
        await ApplyAsync(Chunk());
        await ReopenAsync();
        await ExpectAsync(FirstOutcomes, Chunk());
        Machine.Flush();
        await ReopenAsync();
        await ExpectAsync(FirstOutcomes, Chunk());
        Assert.Equal("a=2", Scan());
    }

    [Fact]
    public async Task DuplicateIsNotAppliedAgain()
    {
        await ApplyAsync(Put(1, "a", "1"), Delete(2, "a"));
        await ApplyAsync(Put(1, "a", "1"));
        Assert.Null(Get("a"));
        Assert.Equal(new LogId(2, 1), Machine.LastApplied);
    }

    [Fact]
    public async Task ChunkOfDuplicatesAndNewEntriesAnswersBoth()
    {
        await ApplyAsync(Chunk());
        await ExpectAsync(
            [false, true, true, false], Swap(3, "a", "1", "3"), Delete(4, "b"), Swap(5, "a", "2", "5"),
            Swap(6, "a", "2", "6"));
        Assert.Equal("a=5", Scan());
        Assert.Equal(6UL, Machine.LastApplied.Index);
    }

    [Fact]
    public async Task DuplicateBeforeRefusedEntryLeavesStateUnchanged()
    {
        await ApplyAsync(Chunk());
        await Assert.ThrowsAsync<LogGapException>(async () => await ApplyAsync(Delete(4, "b"), Put(6, "a", "9")));
        Assert.Equal("a=2", Scan());
        Assert.Equal(4UL, Machine.LastApplied.Index);
    }

    [Fact]
    public async Task Last65536OutcomesAreKeptAndOlderNotInvented()
    {
        const ulong last = 140_000;
        await ApplyAsync(Put(1, "k", "v"));
        for (ulong first = 2; first <= last; first += 1_000)
            await Machine.ApplyChunkAsync(Enumerable.Range(0, 1_000).Select(i => Outcome(first + (ulong)i)).ToArray());
        await AnswersAsync();
        await ReopenAsync();
        await AnswersAsync();

        static ApplyEntry Outcome(ulong index) => Swap(index, "k", index % 3 == 0 ? "v" : "w", "v");

        async Task AnswersAsync()
        {
            var applied = Machine.LastApplied.Index;
            for (var index = applied - 65_535; index <= applied; index += 4_096)
                await ExpectAsync([index % 3 == 0], Outcome(index));
            await ExpectAsync([applied % 3 == 0], Outcome(applied));
            try
            {
                await ExpectAsync([false], Outcome(2));
            }
            catch (DuplicateEntryException older)
            {
                Assert.Equal(2UL, older.Index);
            }
            Assert.Equal(applied, Machine.LastApplied.Index);
        }
    }

    [Fact]
    public async Task SkippedEntryHasNoOutcome()
    {
        await ApplyAsync(Put(1, "a", "1"));
        Machine.UpdateLastApplied(new LogId(10, 2));
        var unknown = await Assert.ThrowsAsync<DuplicateEntryException>(
            async () => await ApplyAsync(Put(5, "a", "5"), Put(11, "b", "11", term: 2)));
        Assert.Equal(5UL, unknown.Index);
        Assert.Equal("a=1", Scan());
        Assert.Equal(new LogId(10, 2), Machine.LastApplied);
    }

    [Fact]
    public async Task EntryInAllowedGapHasNoOutcome()
    {
        var machine = Open("gaps", Options with { LogGaps = LogGapPolicy.Allow });
        await ApplyToAsync(machine, Put(1, "a", "1"), Put(9, "b", "2"));
        await Assert.ThrowsAsync<DuplicateEntryException>(async () => await ApplyToAsync(machine, Put(5, "a", "5")));
        await ExpectFromAsync(machine, [true, true], Put(1, "a", "1"), Put(9, "b", "2"));
    }
}
