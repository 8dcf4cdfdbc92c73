namespace Varve.Tests.Conformance.Rules;

/// <summary>Start, stop, close: stopping is reversible, closing is for good, and neither loses anything.</summary>
public abstract class LifecycleRules<TFactory> : MachineTest<TFactory> where TFactory : IMachineFactory, new()
{
    [Fact]
    public async Task StoppedMachineServesNothingUntilItIsStarted()
    {
        await ApplyAsync(Put(1, "a", "1"));
        Machine.Stop();
        Machine.Stop();
        Assert.False(Machine.IsRunning);
        Assert.Throws<InvalidOperationException>(() => Machine.Get(Bytes("a")));
        Assert.Throws<InvalidOperationException>(() => Machine.GetMulti([Bytes("a")]));
        Assert.Throws<InvalidOperationException>(() => Machine.ScanPrefix([]));
        Assert.Throws<InvalidOperationException>(() => Machine.Count);
        await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await Machine.ApplyChunkAsync(new[] { Noop(2) }));
        await Machine.StartAsync();
        Assert.True(Machine.IsRunning);
        Assert.Equal("1", Get("a"));
        await ExpectAsync([true], Noop(2));
    }

    [Fact]
    public async Task StartingRunningMachineDoesNothing()
    {
        await Machine.StartAsync();
        await Machine.StartAsync();
        await ExpectAsync([true], Noop(1));
    }

    [Fact]
    public async Task ClosingStoppedMachineLosesNothing()
    {
        await ApplyAsync(Put(1, "a", "1"));
        Machine.Stop();
        await ReopenAsync();
        Assert.True(Machine.IsRunning);
        Assert.Equal("a=1", Scan());
    }

    [Fact]
    public async Task MachineClosedWithoutStopLosesNothing()
    {
        for (ulong index = 1; index <= 30; index++)
        {
            await ApplyAsync(Put(index, "a", $"{index}"));
            if (index % 3 == 0) await ReopenAsync();
            Assert.Equal($"a={index}", Scan());
            Assert.Equal(index, Machine.LastApplied.Index);
        }
    }

    [Fact]
    public async Task AfterCloseEverythingThrowsObjectDisposed()
    {
        await ApplyAsync(Put(1, "a", "1"));
        var machine = Machine;
        machine.CloseStorage();
        machine.CloseStorage();
        await machine.DisposeAsync();
        await machine.DisposeAsync();

        var at = new LogId(1, 1);
        var metadata = new SnapshotMetadata(at, new byte[32]);
        Action[] calls =
        [
            () => machine.Get(Bytes("a")),
            () => machine.GetMulti([Bytes("a")]),
            () => machine.ScanPrefix([]),
            () => _ = machine.Count,
            () => machine.EntryTerm(1),
            () => machine.UpdateLastApplied(new LogId(2, 1)),
            () => machine.PersistLastApplied(new LogId(2, 1)),
            () => machine.UpdateLastSnapshotMetadata(metadata),
            () => machine.PersistLastSnapshotMetadata(metadata),
            machine.SaveHardState,
            machine.Flush,
        ];
        Assert.All(calls, call => Assert.Throws<ObjectDisposedException>(call));
        Func<Task>[] tasks =
        [
            () => machine.StartAsync(),
            async () => await machine.ApplyChunkAsync(new[] { Noop(2) }),
            () => machine.GenerateSnapshotDataAsync(PathOf("s"), at),
            () => machine.ApplySnapshotFromFileAsync(metadata, PathOf("s")),
            () => machine.FlushAsync(),
            () => machine.ResetAsync(),
            () => machine.LeaseBackgroundCleanupAsync(),
        ];
        foreach (var task in tasks)
            await Assert.ThrowsAsync<ObjectDisposedException>(task);
    }

    [Fact]
    public async Task TwoMachinesShareNothing()
    {
        var other = Open("other");
        await ApplyAsync(Put(1, "a", "1"));
        await ApplyToAsync(other, Put(1, "b", "2"), Put(2, "c", "3"));
        Assert.Equal("a=1", Scan());
        Assert.Equal("b=2 c=3", ScanOf(other));
    }
}
