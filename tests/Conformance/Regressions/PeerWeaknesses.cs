using System.Security.Cryptography;

namespace Varve.Tests.Conformance.Regressions;

/// <summary>Mistakes read in the sources of other engines and state machines, each shut out by name.</summary>
public abstract class PeerWeaknesses<TFactory> : MachineTest<TFactory> where TFactory : IMachineFactory, new()
{
    [Fact]
    public async Task LeaseOfOldPutNeverDeletesLaterPlainPut()
    {
        await ApplyAsync(Put(1, "lock", "leased", ttl: 5));
        await ReopenAsync();
        await ApplyAsync(Put(2, "lock", "plain"));
        Clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Empty(await Machine.LeaseBackgroundCleanupAsync());
        Machine.Flush();
        await ReopenAsync();
        Assert.Empty(await Machine.LeaseBackgroundCleanupAsync());
        Assert.Equal("plain", Get("lock"));
    }

    [Fact]
    public async Task LeasesSurviveUncleanStop()
    {
        await ApplyAsync(Put(1, "lock", "leased", ttl: 5));
        await ReopenAsync();
        Assert.Equal("leased", Get("lock"));
        Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Null(Get("lock"));
        Assert.Single(await Machine.LeaseBackgroundCleanupAsync());
    }

    [Fact]
    public async Task ReplayNeverExtendsLease()
    {
        await ApplyAsync(Put(1, "lock", "leased", ttl: 5));
        for (var restart = 0; restart < 4; restart++)
        {
            Clock.Advance(TimeSpan.FromSeconds(1));
            await ReopenAsync();
        }
        Assert.Equal("leased", Get("lock"));
        Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(Get("lock"));
    }

    [Fact]
    public async Task EmptyValuesSurviveReplay()
    {
        await ApplyAsync(Put(1, "a", ""), Swap(2, "b", null, ""), Put(3, "c", "", ttl: 100));
        await ReopenAsync();
        Assert.Equal("a= b= c=", Scan());
        Machine.Flush();
        await ReopenAsync();
        Assert.Equal("a= b= c=", Scan());
        Assert.Equal(3, Machine.Count);
    }

    [Fact]
    public async Task ReplayNeverComparesAgain()
    {
        // Compared again on a state that already has them, the first swap would fail and the second succeed.
        await ApplyAsync(Put(1, "a", "0"));
        await ExpectAsync([true, false, true], Swap(2, "a", "0", "1"), Swap(3, "a", "2", "3"), Swap(4, "a", "1", "2"));
        await ReopenAsync();
        Assert.Equal("a=2", Scan());
        await ExpectAsync([true, false, true], Swap(2, "a", "0", "1"), Swap(3, "a", "2", "3"), Swap(4, "a", "1", "2"));
        Assert.Equal("a=2", Scan());
    }

    [Fact]
    public async Task AppliedIndexMatchesData()
    {
        for (ulong index = 1; index <= 50; index++)
        {
            await ApplyAsync(Swap(index, "counter", index == 1 ? null : $"{index - 1}", $"{index}"));
            await ReopenAsync();
            Assert.Equal($"{index}", Get("counter"));
            Assert.Equal(index, Machine.LastApplied.Index);
        }
    }

    [Fact]
    public async Task ScanRevisionMatchesItsData()
    {
        // One writer moves a counter to the index of its entry; every scan must agree with itself.
        var machine = Machine;
        var writer = Task.Factory.StartNew(() =>
        {
            for (ulong index = 1; index <= 3_000; index++)
                machine.ApplyChunkAsync(new[] { Put(index, "counter", $"{index}") }).AsTask().GetAwaiter().GetResult();
        }, TaskCreationOptions.LongRunning);
        ulong revision;
        do
        {
            var scan = machine.ScanPrefix([]);
            revision = scan.Revision;
            Assert.Equal(
                revision == 0 ? [] : [$"{revision}"],
                scan.Entries.Select(entry => System.Text.Encoding.UTF8.GetString(entry.Value.Span)));
        }
        while (revision < 3_000 && !writer.IsFaulted);
        await writer;
    }

    [Fact]
    public async Task SnapshotIsLabelledWithIndexOfItsData()
    {
        await ApplyAsync([.. Enumerable.Range(1, 100).Select(i => Put((ulong)i, "counter", $"{i}", term: (ulong)i))]);
        foreach (var at in (ulong[])[100, 99, 50, 1])
        {
            var checksum = await Machine.GenerateSnapshotDataAsync(PathOf($"s{at}"), new LogId(at, at));
            var copy = Open($"copy{at}");
            await copy.ApplySnapshotFromFileAsync(new SnapshotMetadata(new LogId(at, at), checksum), PathOf($"s{at}"));
            Assert.Equal($"counter={at}", ScanOf(copy));
            Assert.Equal(new LogId(at, at), copy.LastApplied);
        }
    }

    [Fact]
    public async Task SnapshotChecksumCoversItsContent()
    {
        await ApplyAsync(Put(1, "a", "1"));
        var first = await Machine.GenerateSnapshotDataAsync(PathOf("s1"), new LogId(1, 1));
        await ApplyAsync(Put(2, "a", "2"));
        var second = await Machine.GenerateSnapshotDataAsync(PathOf("s2"), new LogId(2, 1));
        Assert.NotEqual(new byte[32], first.ToArray());
        Assert.NotEqual(first.ToArray(), second.ToArray());
    }

    [Fact]
    public async Task FailedRestoreDoesNotEmptyStore()
    {
        await ApplyAsync(Put(1, "a", "1"));
        byte[] garbage = [1, 2, 3];
        File.WriteAllBytes(PathOf("garbage"), garbage);
        await Assert.ThrowsAsync<SnapshotRejectedException>(
            () => Machine.ApplySnapshotFromFileAsync(
                new SnapshotMetadata(new LogId(5, 1), SHA256.HashData(garbage)), PathOf("garbage")));
        Assert.Equal("a=1", Scan());
        await ReopenAsync();
        Assert.Equal("a=1", Scan());
    }

    [Fact]
    public async Task FailedSnapshotIsNotPublished()
    {
        await ApplyAsync(Put(1, "a", "1"));
        File.WriteAllText(PathOf("file"), "in the way");
        await Assert.ThrowsAnyAsync<IOException>(
            () => Machine.GenerateSnapshotDataAsync(PathOf("file/s"), new LogId(1, 1)));
        Assert.Null(Machine.SnapshotMetadata);
        Assert.Equal("in the way", File.ReadAllText(PathOf("file")));
    }
}

public sealed class ModelHasNoPeerWeaknesses : PeerWeaknesses<DictionaryMachines>;

public sealed class EngineHasNoPeerWeaknesses : PeerWeaknesses<EngineMachines>;

public sealed class TinyEngineHasNoPeerWeaknesses : PeerWeaknesses<TinyEngineMachines>;
