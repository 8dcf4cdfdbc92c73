using System.Security.Cryptography;

namespace Varve.Tests.Conformance.Rules;

/// <summary>An install that does not succeed leaves the old state serving; reset switches as install does.</summary>
public abstract class InstallRules<TFactory> : MachineTest<TFactory> where TFactory : IMachineFactory, new()
{
    private const string Before = "old=state";

    /// <summary>
    /// A snapshot of "a" and "b" at index 600, term 2, big enough that the engine has tables to link.
    /// </summary>
    private async Task<SnapshotMetadata> SnapshotAsync()
    {
        var source = Open("source");
        for (ulong first = 1; first <= 600; first += 50)
        {
            await ApplyToAsync(source, [.. Enumerable.Range(0, 50).Select(
                i => Put(first + (ulong)i, $"key{i * 31 % 50:d3}", new string('v', 200), term: 2))]);
            if (first % 200 == 1) source.Flush();
        }
        var at = new LogId(600, 2);
        return new SnapshotMetadata(at, await source.GenerateSnapshotDataAsync(PathOf("s"), at));
    }

    private async Task<IStateMachine> TargetAsync()
    {
        await ApplyAsync(Put(1, "old", "state"));
        return Machine;
    }

    private async Task RejectedAsync(SnapshotMetadata metadata, string path, string what = "")
    {
        var target = Machine;
        var (applied, known) = (target.LastApplied, target.SnapshotMetadata);
        var failure = await Xunit.Record.ExceptionAsync(() => target.ApplySnapshotFromFileAsync(metadata, path));
        Assert.True(failure is SnapshotRejectedException, $"{what}: {failure?.GetType().ToString() ?? "accepted"}");
        Assert.Equal(applied, target.LastApplied);
        Assert.Equal(known, target.SnapshotMetadata);
        Assert.Equal(Before, Scan());
    }

    private string CopyOfSnapshot(string name)
    {
        Directory.CreateDirectory(PathOf(name));
        foreach (var file in Directory.GetFiles(PathOf("s")))
            File.Copy(file, Path.Combine(PathOf(name), Path.GetFileName(file)), overwrite: true);
        return PathOf(name);
    }

    [Fact]
    public async Task WrongChecksumIsRejected()
    {
        var metadata = await SnapshotAsync();
        await TargetAsync();
        var wrong = metadata.Checksum.ToArray();
        wrong[17] ^= 1;
        await RejectedAsync(metadata with { Checksum = wrong }, PathOf("s"));
        await RejectedAsync(metadata with { Checksum = new byte[32] }, PathOf("s"));
        await RejectedAsync(metadata with { Checksum = ReadOnlyMemory<byte>.Empty }, PathOf("s"));
    }

    [Fact]
    public async Task OtherPositionThanAnnouncedIsRejected()
    {
        var metadata = await SnapshotAsync();
        await TargetAsync();
        await RejectedAsync(metadata with { LastIncluded = new LogId(601, 2) }, PathOf("s"));
        await RejectedAsync(metadata with { LastIncluded = new LogId(600, 3) }, PathOf("s"));
    }

    [Fact]
    public async Task SnapshotOlderThanStateIsRejected()
    {
        var old = Open("older");
        await ApplyToAsync(old, Put(1, "z", "z"));
        var checksum = await old.GenerateSnapshotDataAsync(PathOf("o"), new LogId(1, 1));
        await ApplyAsync(Put(1, "old", "state"), Noop(2));
        await RejectedAsync(new SnapshotMetadata(new LogId(1, 1), checksum), PathOf("o"));
    }

    [Fact]
    public async Task FlippedByteAnywhereIsRejected()
    {
        var metadata = await SnapshotAsync();
        await TargetAsync();
        var copy = CopyOfSnapshot("flipped");
        foreach (var file in Directory.GetFiles(copy))
        {
            var good = File.ReadAllBytes(file);
            for (var step = 0; step <= 16; step++)
            {
                var offset = (int)((long)(good.Length - 1) * step / 16);
                var bad = (byte[])good.Clone();
                bad[offset] ^= (byte)(1 << (step % 8));
                File.WriteAllBytes(file, bad);
                await RejectedAsync(metadata, copy, $"{Path.GetFileName(file)} at {offset}");
            }
            File.WriteAllBytes(file, good);
        }
        await Machine.ApplySnapshotFromFileAsync(metadata, copy);
        Assert.Equal(50, Machine.Count);
    }

    [Fact]
    public async Task TruncatedGrownOrMissingFileIsRejected()
    {
        var metadata = await SnapshotAsync();
        await TargetAsync();
        var copy = CopyOfSnapshot("cut");
        foreach (var file in Directory.GetFiles(copy))
        {
            var good = File.ReadAllBytes(file);
            foreach (var length in (int[])[0, 1, good.Length / 2, good.Length - 1])
            {
                File.WriteAllBytes(file, good[..length]);
                await RejectedAsync(metadata, copy, $"{Path.GetFileName(file)} cut to {length}");
            }
            File.WriteAllBytes(file, [.. good, 0]);
            await RejectedAsync(metadata, copy, $"{Path.GetFileName(file)} with a byte more");
            File.Delete(file);
            await RejectedAsync(metadata, copy, $"{Path.GetFileName(file)} missing");
            File.WriteAllBytes(file, good);
        }
    }

    [Fact]
    public async Task GarbageIsRejectedEvenWithItsOwnChecksum()
    {
        await TargetAsync();
        var random = new Random(11);
        Directory.CreateDirectory(PathOf("g"));
        foreach (var length in (int[])[0, 1, 7, 100, 5_000])
        {
            var garbage = new byte[length];
            random.NextBytes(garbage);
            var metadata = new SnapshotMetadata(new LogId(9, 1), SHA256.HashData(garbage));
            File.WriteAllBytes(PathOf("garbage"), garbage);
            await RejectedAsync(metadata, PathOf("garbage"), $"{length} random bytes");
            File.WriteAllBytes(PathOf("g/MANIFEST"), garbage);
            await RejectedAsync(metadata, PathOf("g"), $"a directory with {length} random bytes");
        }
    }

    [Fact]
    public async Task MissingPathIsRejected()
    {
        await TargetAsync();
        var metadata = new SnapshotMetadata(new LogId(9, 1), new byte[32]);
        await RejectedAsync(metadata, PathOf("nowhere"));
        Directory.CreateDirectory(PathOf("empty"));
        await RejectedAsync(metadata, PathOf("empty"));
    }

    [Fact]
    public async Task RejectedInstallLeavesNoTraceAfterReopen()
    {
        var metadata = await SnapshotAsync();
        await TargetAsync();
        await RejectedAsync(metadata with { Checksum = new byte[32] }, PathOf("s"));
        await ReopenAsync();
        Assert.Equal(Before, Scan());
        await ExpectAsync([true], Put(2, "a", "2"));
    }

    [Fact]
    public async Task CancelledInstallOrResetChangesNothing()
    {
        var metadata = await SnapshotAsync();
        var target = await TargetAsync();
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => target.ApplySnapshotFromFileAsync(metadata, PathOf("s"), cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => target.ResetAsync(cancelled));
        Assert.Equal(Before, Scan());
    }

    [Fact]
    public async Task InstalledEntryHasNoInventedOutcome()
    {
        var source = Open("source");
        await ApplyToAsync(source, Put(1, "a", "1"), Swap(2, "a", "x", "2"), Put(3, "a", "3"));
        var checksum = await source.GenerateSnapshotDataAsync(PathOf("s"), new LogId(3, 1));
        await Machine.ApplySnapshotFromFileAsync(new SnapshotMetadata(new LogId(3, 1), checksum), PathOf("s"));
        try
        {
            await ExpectAsync([false], Swap(2, "a", "x", "2"));
        }
        catch (DuplicateEntryException unknown)
        {
            Assert.Equal(2UL, unknown.Index);
        }
        Assert.Equal("a=3", Scan());
    }

    [Fact]
    public async Task ResetLeavesEmptyMachineAtIndexZero()
    {
        await ApplyAsync(Put(1, "a", "1", ttl: 1), Put(2, "b", "2", term: 5));
        Machine.Flush();
        await Machine.ResetAsync();
        await EmptyAsync();
        await ReopenAsync();
        await EmptyAsync();
        await ExpectAsync([true, true], Put(1, "c", "3"), Swap(2, "b", null, "4"));
        await ReopenAsync();
        Assert.Equal("b=4 c=3", Scan());

        async Task EmptyAsync()
        {
            Assert.Equal(new LogId(0, 0), Machine.LastApplied);
            Assert.Equal(0, Machine.Count);
            Assert.Equal("", Scan());
            Assert.Null(Get("b"));
            Assert.Null(Machine.EntryTerm(1));
            Assert.Null(Machine.SnapshotMetadata);
            Clock.Advance(TimeSpan.FromHours(1));
            Assert.Empty(await Machine.LeaseBackgroundCleanupAsync());
            await Assert.ThrowsAsync<LogGapException>(async () => await ApplyAsync(Put(3, "c", "3", term: 5)));
        }
    }

    [Fact]
    public async Task ResetDropsLogTime()
    {
        var machine = Open("log", Options with { LeaseClock = LeaseClock.Log });
        await ApplyToAsync(machine, Put(1, "a", "1", ttl: 1, time: 1_000_000));
        await machine.ResetAsync();
        await ApplyToAsync(machine, Put(1, "a", "1", ttl: 1, time: 1_000), Noop(2, time: 1_999));
        Assert.Equal("a=1", ScanOf(machine));
        await ApplyToAsync(machine, Noop(3, time: 2_000));
        Assert.Equal("", ScanOf(machine));
    }

    [Fact]
    public async Task ResetMachineAcceptsSnapshot()
    {
        var metadata = await SnapshotAsync();
        await ApplyAsync(Put(1, "old", "state"));
        await Machine.ResetAsync();
        await Machine.ApplySnapshotFromFileAsync(metadata, PathOf("s"));
        Assert.Equal(50, Machine.Count);
        await ReopenAsync();
        Assert.Equal(50, Machine.Count);
        Assert.Equal(new LogId(600, 2), Machine.LastApplied);
    }
}
