namespace Varve.Tests.Conformance.Rules;

/// <summary>
/// A command out of its limits rejects its chunk, or is refused alone, for good and on every replica.
/// </summary>
public abstract class InvalidCommandRules<TFactory> : MachineTest<TFactory> where TFactory : IMachineFactory, new()
{
    private static readonly ApplyStatus[] FirstStatuses =
    [
        ApplyStatus.Applied, ApplyStatus.Refused, ApplyStatus.Refused, ApplyStatus.ExpectationFailed,
        ApplyStatus.Refused, ApplyStatus.Applied, ApplyStatus.Applied,
    ];

    private static ApplyEntry[] Chunk() =>
    [
        Put(1, "a", "1"), new(2, 1, Command.Insert(default, Bytes("no key"))),
        new(3, 1, Command.Delete(new byte[65_536])), Swap(4, "a", "0", "2"),
        new(5, 1, Command.CompareAndSwap(default, (byte[]?)null, Bytes("no key"))), Noop(6), Swap(7, "a", "1", "3"),
    ];

    private EngineOptions Refusing => Options with { InvalidCommands = InvalidCommands.Refuse };

    [Fact]
    public async Task InvalidCommandRejectsChunkByDefault()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await ApplyAsync(Chunk()));
        Assert.Equal(default, Machine.LastApplied);
        Assert.Equal("", Scan());
    }

    [Fact]
    public async Task RefusedCommandKeepsRestOfChunk()
    {
        var machine = Open("refusing", Refusing);
        Assert.Equal(FirstStatuses, await StatusesAsync(machine, Chunk()));
        Assert.Equal(new LogId(7, 1), machine.LastApplied);
        Assert.Equal("a=3", ScanOf(machine));
        Assert.Equal(1, machine.Count);
    }

    [Fact]
    public async Task ChunkOfRefusedCommandsAdvancesPosition()
    {
        var machine = Open("refusing", Refusing);
        Assert.Equal(
            [ApplyStatus.Refused], await StatusesAsync(machine, new ApplyEntry(1, 1, Command.Delete(default))));
        Assert.Equal(new LogId(1, 1), machine.LastApplied);
        Assert.Equal(1UL, machine.EntryTerm(1));
    }

    [Fact]
    public async Task DuplicateOfRefusedCommandIsAnsweredAsRefused()
    {
        var machine = Open("refusing", Refusing);
        await StatusesAsync(machine, Chunk());
        Assert.Equal(FirstStatuses, await StatusesAsync(machine, Chunk()));
    }

    [Fact]
    public async Task RefusalSurvivesReopenAndPolicyChange()
    {
        await using (var first = Factory.Open(PathOf("refusing"), Refusing))
            await StatusesAsync(first, Chunk());
        await using (var second = Factory.Open(PathOf("refusing"), Refusing))
        {
            Assert.Equal(FirstStatuses, await StatusesAsync(second, Chunk()));
            if (second is LsmStateMachine engine) await engine.CompactAsync();
        }
        await using (var third = Factory.Open(PathOf("refusing"), Refusing))
        {
            Assert.Equal(FirstStatuses, await StatusesAsync(third, Chunk()));
            Assert.Equal("a=3", ScanOf(third));
        }
    }

    [Fact]
    public async Task RefusalsTravelInSnapshot()
    {
        var source = Open("source", Refusing);
        await StatusesAsync(source, Chunk());
        var at = source.LastApplied;
        var checksum = await source.GenerateSnapshotDataAsync(PathOf("snapshot"), at);
        var target = Open("target", Refusing);
        await target.ApplySnapshotFromFileAsync(new SnapshotMetadata(at, checksum), PathOf("snapshot"));
        Assert.Equal("a=3", ScanOf(target));
        if (target is LsmStateMachine) Assert.Equal(FirstStatuses, await StatusesAsync(target, Chunk()));
    }

    private static async Task<ApplyStatus[]> StatusesAsync(IStateMachine machine, params ApplyEntry[] chunk)
    {
        var results = await machine.ApplyChunkAsync(chunk);
        Assert.All(results, result => Assert.Equal(result.Status == ApplyStatus.Applied, result.Succeeded));
        return [.. results.Select(result => result.Status)];
    }
}
