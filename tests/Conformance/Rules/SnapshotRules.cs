using System.Security.Cryptography;

namespace Varve.Tests.Conformance.Rules;

/// <summary>A snapshot is the state at exactly the index it is labelled with.</summary>
public abstract class SnapshotRules<TFactory> : MachineTest<TFactory> where TFactory : IMachineFactory, new()
{
    private EngineOptions LogClock => Options with { LeaseClock = LeaseClock.Log };

    private static async Task InstallAsync(
        IStateMachine target, string path, LogId at, ReadOnlyMemory<byte> checksum) =>
        await target.ApplySnapshotFromFileAsync(new SnapshotMetadata(at, checksum), path);

    /// <summary>Cuts the machine at an index, installs into a new machine and returns that.</summary>
    private async Task<IStateMachine> CopyAtAsync(
        IStateMachine source, LogId at, string name, EngineOptions? options = null)
    {
        var checksum = await source.GenerateSnapshotDataAsync(PathOf(name + ".snapshot"), at);
        var copy = Open(name, options);
        await InstallAsync(copy, PathOf(name + ".snapshot"), at, checksum);
        Assert.Equal(at, copy.LastApplied);
        return copy;
    }

    [Fact]
    public async Task SnapshotOfLastEntryEqualsState()
    {
        await ApplyAsync(Put(1, "a", "1"), Put(2, "b", ""), Delete(3, "a"), Put(4, "c", "3", term: 2));
        var copy = await CopyAtAsync(Machine, new LogId(4, 2), "copy");
        Assert.Equal("b= c=3", ScanOf(copy));
        Assert.Equal(2, copy.Count);
        Assert.Equal(2UL, copy.EntryTerm(4));
        Assert.Equal(4UL, copy.ScanPrefix([]).Revision);
        Assert.Null(copy.EntryTerm(5));
        await ExpectFromAsync(copy, [true], Put(5, "d", "5", term: 2));
        Assert.Equal("b= c=3 d=5", ScanOf(copy));
    }

    [Fact]
    public async Task SnapshotOfEarlierEntryExcludesLaterEntries()
    {
        var states = new List<string> { "" };
        for (ulong index = 1; index <= 60; index++)
        {
            await ApplyAsync(
                index % 5 == 0 ? Delete(index, $"k{index / 2 % 8}") : Put(index, $"k{index % 8}", $"{index}"));
            states.Add(Scan());
            if (index % 20 == 0) Machine.Flush();
        }
        foreach (var at in (ulong[])[59, 41, 40, 39, 20, 7, 1])
            Assert.Equal(states[(int)at], ScanOf(await CopyAtAsync(Machine, new LogId(at, 1), $"copy{at}")));
        Assert.Equal(states[60], Scan());
    }

    [Fact]
    public async Task SnapshotCanBeCutInsideChunk()
    {
        await ApplyAsync(
            Put(1, "a", "1"), Put(2, "a", "2", term: 2), Delete(3, "a", term: 3), Put(4, "a", "4", term: 3));
        Assert.Equal("a=2", ScanOf(await CopyAtAsync(Machine, new LogId(2, 2), "two")));
        var three = await CopyAtAsync(Machine, new LogId(3, 3), "three");
        Assert.Equal("", ScanOf(three));
        Assert.Equal(0, three.Count);
    }

    [Fact]
    public async Task SnapshotOfManyFlushedKeysIsExact()
    {
        ulong index = 0;
        for (var round = 0; round < 20; round++)
            await ApplyAsync([.. Enumerable.Range(0, 200).Select(
                k => Put(++index, $"key{k * 7 % 1_000:d4}", $"{round} {new string('v', 40)}"))]);
        var now = Scan();
        var copy = await CopyAtAsync(Machine, new LogId(index, 1), "copy");
        await ApplyAsync([.. Enumerable.Range(0, 200).Select(k => Delete(++index, $"key{k * 7 % 1_000:d4}"))]);
        Assert.Equal(now, ScanOf(copy));
        Assert.Equal(200, copy.Count);
        Assert.Equal(0, Machine.Count);
    }

    [Fact]
    public async Task SnapshotIsUnaffectedByLaterApplies()
    {
        await ApplyAsync(Put(1, "a", "1"));
        var checksum = await Machine.GenerateSnapshotDataAsync(PathOf("s"), new LogId(1, 1));
        await ApplyAsync(Put(2, "a", "2"));
        Machine.Flush();
        await Machine.DisposeAsync();
        var copy = Open("copy");
        await InstallAsync(copy, PathOf("s"), new LogId(1, 1), checksum);
        Directory.Delete(PathOf("s"), recursive: true);
        Assert.Equal("a=1", ScanOf(copy));
        await ReopenAsync();
        Assert.Equal("a=2", Scan());
    }

    [Fact]
    public async Task ChecksumIsSha256OfOneOfItsFiles()
    {
        await ApplyAsync(Put(1, "a", "1"));
        var checksum = await Machine.GenerateSnapshotDataAsync(PathOf("s"), new LogId(1, 1));
        Assert.Equal(32, checksum.Length);
        Assert.Contains(
            Directory.GetFiles(PathOf("s")),
            file => SHA256.HashData(File.ReadAllBytes(file)).AsSpan().SequenceEqual(checksum.Span));
    }

    [Fact]
    public async Task MakingSnapshotRecordsItsMetadata()
    {
        await ApplyAsync(Put(1, "a", "1"), Put(2, "a", "2"));
        var checksum = await Machine.GenerateSnapshotDataAsync(PathOf("s"), new LogId(1, 1));
        var expected = new SnapshotMetadata(new LogId(1, 1), checksum);
        Assert.Equal(expected, Machine.SnapshotMetadata);
        await ReopenAsync();
        Assert.Equal(expected, Machine.SnapshotMetadata);
        Assert.Equal(1UL, Machine.EntryTerm(1));
        Assert.Equal(1UL, Machine.EntryTerm(2));
    }

    [Fact]
    public async Task InstalledSnapshotSurvivesReopening()
    {
        await ApplyAsync(Put(1, "a", "1"), Put(2, "b", "2", term: 3));
        var source = Machine.SnapshotMetadata;
        Assert.Null(source);
        var copy = await CopyAtAsync(Machine, new LogId(2, 3), "copy");
        var metadata = copy.SnapshotMetadata;
        Assert.Equal(new LogId(2, 3), metadata?.LastIncluded);
        await copy.DisposeAsync();
        copy = Open("copy");
        Assert.Equal("a=1 b=2", ScanOf(copy));
        Assert.Equal(metadata, copy.SnapshotMetadata);
        Assert.Equal(new LogId(2, 3), copy.LastApplied);
        Assert.Equal(3UL, copy.EntryTerm(2));
    }

    [Fact]
    public async Task SnapshotReplacesAllState()
    {
        await ApplyAsync(Put(1, "a", "1"), Put(2, "b", "2"), Put(3, "c", "3"));
        var other = Open("other");
        await ApplyToAsync(other, Put(1, "z", "9"), Put(2, "b", "other", ttl: 1));
        var checksum = await Machine.GenerateSnapshotDataAsync(PathOf("s"), new LogId(3, 1));
        await InstallAsync(other, PathOf("s"), new LogId(3, 1), checksum);
        Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal("a=1 b=2 c=3", ScanOf(other));
        Assert.Empty(await other.LeaseBackgroundCleanupAsync());
        await other.DisposeAsync();
        Assert.Equal("a=1 b=2 c=3", ScanOf(Open("other")));
    }

    [Fact]
    public async Task SnapshotOfSameIndexReplacesState()
    {
        await ApplyAsync(Put(1, "a", "1"));
        var other = Open("other");
        await ApplyToAsync(other, Put(1, "z", "9"));
        var checksum = await Machine.GenerateSnapshotDataAsync(PathOf("s"), new LogId(1, 1));
        await InstallAsync(other, PathOf("s"), new LogId(1, 1), checksum);
        Assert.Equal("a=1", ScanOf(other));
        await InstallAsync(Machine, PathOf("s"), new LogId(1, 1), checksum);
        Assert.Equal("a=1", Scan());
    }

    [Fact]
    public async Task EmptyMachineCanBeCutAtIndexZero()
    {
        var copy = await CopyAtAsync(Machine, new LogId(0, 0), "copy");
        Assert.Equal(0, copy.Count);
        await ExpectFromAsync(copy, [true], Put(1, "a", "1"));
    }

    [Fact]
    public async Task LeasesTravelWithSnapshotOnLogClock()
    {
        var source = Open("source", LogClock);
        await ApplyToAsync(
            source, Put(1, "a", "1", ttl: 1, time: 1_000), Put(2, "b", "2", ttl: 9, time: 1_000), Noop(3, time: 2_000));
        var copy = await CopyAtAsync(source, new LogId(3, 1), "copy", LogClock);
        Assert.Equal("b=2", ScanOf(copy));
        await ApplyToAsync(copy, Noop(4, time: 9_999));
        Assert.Equal("b=2", ScanOf(copy));
        await ApplyToAsync(copy, Noop(5, time: 10_000));
        Assert.Equal("", ScanOf(copy));
        Assert.Equal(0, copy.Count);
    }

    [Fact]
    public async Task CutHasLogTimeOfItsIndex()
    {
        var source = Open("source", LogClock);
        await ApplyToAsync(source, Put(1, "a", "1", ttl: 1, time: 1_000), Noop(2, time: 1_999), Noop(3, time: 5_000));
        Assert.Equal("", ScanOf(source));
        await source.LeaseBackgroundCleanupAsync();
        var copy = await CopyAtAsync(source, new LogId(2, 1), "copy", LogClock);
        Assert.Equal("a=1", ScanOf(copy));
        await ApplyToAsync(copy, Noop(3, time: 2_000));
        Assert.Equal("", ScanOf(copy));
    }

    [Fact]
    public async Task LeasesTravelWithSnapshotOnLocalClock()
    {
        await ApplyAsync(Put(1, "a", "1", ttl: 10), Put(2, "b", "2"));
        Clock.Advance(TimeSpan.FromSeconds(6));
        var copy = await CopyAtAsync(Machine, new LogId(2, 1), "copy");
        Assert.Equal("a=1 b=2", ScanOf(copy));
        Clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal("b=2", ScanOf(copy));
        Assert.Single(await copy.LeaseBackgroundCleanupAsync());
    }

    [Fact]
    public async Task UnappliedIndexOrWrongTermCannotBeCut()
    {
        await ApplyAsync(Put(1, "a", "1"), Put(2, "a", "2", term: 2));
        await RefusedAsync<ArgumentException>(new LogId(3, 2));
        await RefusedAsync<ArgumentException>(new LogId(2, 1));
        await RefusedAsync<ArgumentException>(new LogId(1, 2));
        await RefusedAsync<ArgumentException>(new LogId(2, 3));
    }

    [Fact]
    public async Task EntryOlderThanHistoryCannotBeCut()
    {
        var machine = Open("short", Options with { HistoryEntries = 10 });
        for (ulong index = 1; index <= 300; index++)
            await ApplyToAsync(machine, Put(index, "a", $"{index}"));
        await Assert.ThrowsAnyAsync<ArgumentException>(
            () => machine.GenerateSnapshotDataAsync(PathOf("s"), new LogId(289, 1)));
        Assert.Equal("a=290", ScanOf(await CopyAtAsync(machine, new LogId(290, 1), "copy")));
    }

    [Fact]
    public async Task NonEmptyTargetDirectoryIsRefused()
    {
        await ApplyAsync(Put(1, "a", "1"));
        Directory.CreateDirectory(PathOf("s"));
        File.WriteAllText(PathOf("s/mine"), "mine");
        await Assert.ThrowsAnyAsync<IOException>(() => Machine.GenerateSnapshotDataAsync(PathOf("s"), new LogId(1, 1)));
        Assert.Equal([PathOf("s/mine")], Directory.GetFileSystemEntries(PathOf("s")));
        Assert.Null(Machine.SnapshotMetadata);
    }

    [Fact]
    public async Task ExistingEmptyDirectoryIsFilled()
    {
        await ApplyAsync(Put(1, "a", "1"));
        Directory.CreateDirectory(PathOf("copy.snapshot"));
        Assert.Equal("a=1", ScanOf(await CopyAtAsync(Machine, new LogId(1, 1), "copy")));
    }

    [Fact]
    public async Task CancelledSnapshotLeavesNothingBehind()
    {
        await ApplyAsync(Put(1, "a", "1"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () =>
                Machine.GenerateSnapshotDataAsync(PathOf("s"), new LogId(1, 1), new CancellationToken(canceled: true)));
        Assert.False(Directory.Exists(PathOf("s")) && Directory.GetFileSystemEntries(PathOf("s")).Length > 0);
        Assert.Null(Machine.SnapshotMetadata);
    }

    private async Task RefusedAsync<TException>(LogId at) where TException : Exception
    {
        await Assert.ThrowsAnyAsync<TException>(() => Machine.GenerateSnapshotDataAsync(PathOf("refused"), at));
        Assert.False(
            Directory.Exists(PathOf("refused")) && Directory.GetFileSystemEntries(PathOf("refused")).Length > 0);
    }
}
