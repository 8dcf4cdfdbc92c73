using System.Buffers;
using System.Text;
using Varve.Tests.Shared;
using Xunit;

namespace Varve.Tests.Outside;

/// <summary>A stranger's program: every public member of the machine, called plainly, end to end.</summary>
public sealed class EndToEnd : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("varve-outside-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void ChunksInBothFormsAreAppliedAndRead()
    {
        using var machine = LsmStateMachine.Open(directory: At("db"), options: null);
        Assert.True(machine.IsRunning);
        Assert.True(machine.IsEmpty);

        Span<ApplyResult> results = new ApplyResult[8];
        machine.ApplyChunk(chunk: [Put(1, "a", "1"), Put(2, "b", "2"), Swap(3, "a", "x", "!")], results: results);
        Assert.Equal([new(1, true), new(2, true), new(3, false)], results[..3].ToArray());

        var wire = WireChunk.Encode(
            [
                Put(4, "c", "3", term: 2), new(5, 2, Command.Delete(Bytes("b"))), Swap(6, "a", "1", "one", term: 2),
                new(7, 3, Command.Noop),
            ]);
        var count = machine.ApplyChunk(encodedChunk: wire.AsSpan(), results: results);
        Assert.Equal(4, count);
        Assert.Equal([new(4, true), new(5, true), new(6, true), new(7, true)], results[..4].ToArray());

        var more = WireChunk.Encode([Swap(8, "d", null, "4", term: 3)]);
        var sequence = new ReadOnlySequence<byte>(more);
        Assert.Equal(1, machine.ApplyChunk(encodedChunk: in sequence, results: results));
        Assert.True(results[0].Succeeded);

        Assert.Equal(3, machine.Count);
        Assert.Equal(new LogId(8, 3), machine.LastApplied);
        Assert.Equal(
            [1UL, 2UL, 3UL, 3UL], new[] { 3UL, 4UL, 7UL, 8UL }.Select(index => machine.EntryTerm(index)!.Value));
        Assert.Null(machine.EntryTerm(9));
        Assert.Throws<LogGapException>(() => machine.ApplyChunk([Put(10, "z", "z", term: 3)], new ApplyResult[1]));

        var one = machine.Get("a"u8);
        Assert.Equal("one", Text(one));
        Assert.Null(machine.Get("b"u8));
        var several = machine.GetMulti(keys: [Bytes("d"), Bytes("b"), Bytes("c")]);
        Assert.Equal(["4", null, "3"], several.Select(Text));

        Span<byte> two = stackalloc byte[2];
        Assert.Equal(3, machine.Read("a"u8, two));
        Assert.True(two.SequenceEqual("on"u8));
        Assert.Equal(-1, machine.Read("none"u8, two));

        var writer = new ArrayBufferWriter<byte>();
        Assert.True(machine.TryGet("c"u8, writer));
        Assert.False(machine.TryGet("none"u8, writer));
        Assert.True(writer.WrittenSpan.SequenceEqual("3"u8));
    }

    [Fact]
    public void ViewStaysAtItsRevision()
    {
        using var machine = LsmStateMachine.Open(At("db"));
        machine.ApplyChunk([Put(1, "a/1", "1"), Put(2, "a/2", "2"), Put(3, "b/1", "3")], new ApplyResult[3]);
        using (var view = machine.OpenView())
        {
            machine.ApplyChunk([Put(4, "a/1", "new"), Put(5, "a/3", "new")], new ApplyResult[2]);
            var revision = view.Revision;
            Assert.Equal(3UL, revision);
            Assert.True(view.TryGet("a/1"u8, out ReadOnlySpan<byte> value));
            Assert.Equal("1", Encoding.UTF8.GetString(value));
            Assert.False(view.TryGet("a/3"u8, out _));

            var seen = new List<string>();
            foreach (var entry in view.ScanPrefix("a/"u8)) seen.Add(Pair(entry));
            foreach (var entry in view.ScanPrefix("a/"u8).Reversed()) seen.Add(Pair(entry));
            foreach (var entry in view.ScanRange(from: "a/2"u8, to: "b/1"u8)) seen.Add(Pair(entry));
            var all = view.ScanRange(default, default).GetEnumerator();
            while (all.MoveNext()) seen.Add(Pair(all.Current));
            Assert.Equal(["a/1=1", "a/2=2", "a/2=2", "a/1=1", "a/2=2", "a/1=1", "a/2=2", "b/1=3"], seen);
        }

        var scan = machine.ScanPrefix(prefix: "a/"u8);
        Assert.Equal(5UL, scan.Revision);
        Assert.Equal(
            ["a/1=new", "a/2=2", "a/3=new"],
            scan.Entries.Select(entry => Text(entry.Key.Span) + "=" + Text(entry.Value.Span)));
        Assert.Equal(4, machine.ScanPrefix([]).Entries.Count);
    }

    [Fact]
    public async Task StateSurvivesStopDisposeAndReopen()
    {
        var options = new EngineOptions { Durability = Durability.Power };
        await using (IStateMachine machine = LsmStateMachine.Open(At("db"), options))
        {
            var results = await machine.ApplyChunkAsync(chunk: new[] { Put(1, "a", "1"), Put(2, "b", "") });
            Assert.Equal([new(1, true), new(2, true)], results);
            Assert.Throws<AlreadyOpenException>(() => LsmStateMachine.Open(At("db"), options));
            machine.Stop();
            machine.Stop();
            Assert.False(machine.IsRunning);
            Assert.Throws<InvalidOperationException>(() => machine.Get("a"u8));
            await machine.StartAsync();
            Assert.True(machine.IsRunning);
            Assert.Equal("1", Text(machine.Get("a"u8)));
        }

        using var again = LsmStateMachine.Open(At("db"), options);
        Assert.Equal(new LogId(2, 1), again.LastApplied);
        Assert.Equal(again.LastApplied, again.DurableLogId);
        Assert.Equal("", Text(again.Get("b"u8)));
        again.CloseStorage();
        Assert.Throws<ObjectDisposedException>(() => again.Get("a"u8));
    }

    [Fact]
    public async Task PositionUpdatesPersist()
    {
        var metadata = new SnapshotMetadata(new LogId(2, 1), new byte[32]);
        await using (var machine = LsmStateMachine.Open(At("db")))
        {
            await machine.ApplyChunkAsync(new[] { Put(1, "a", "1"), Put(2, "a", "2") });
            machine.UpdateLastApplied(lastApplied: new LogId(5, 2));
            Assert.Equal(new LogId(5, 2), machine.LastApplied);
            machine.PersistLastApplied(lastApplied: new LogId(6, 2));
            machine.UpdateLastSnapshotMetadata(metadata: metadata);
            machine.PersistLastSnapshotMetadata(metadata: metadata);
            machine.SaveHardState();
            machine.Flush();
            await machine.FlushAsync();
        }

        await using var again = LsmStateMachine.Open(At("db"));
        Assert.Equal(new LogId(6, 2), again.LastApplied);
        Assert.Equal(metadata, again.SnapshotMetadata);
        Assert.Equal("2", Text(again.Get("a"u8)));
    }

    [Fact]
    public async Task SnapshotOfOneMachineBecomesStateOfAnother()
    {
        await using var source = LsmStateMachine.Open(At("source"));
        await source.ApplyChunkAsync(new[] { Put(1, "a", "1"), Put(2, "b", "2") });
        await source.ApplyChunkAsync(new[] { Put(3, "a", "later") });
        var lastIncluded = new LogId(2, 1);
        var checksum = await source.GenerateSnapshotDataAsync(
            newSnapshotDirectory: At("snapshot"), lastIncluded: lastIncluded);
        Assert.Equal(32, checksum.Length);

        await using var target = LsmStateMachine.Open(At("target"));
        await target.ApplyChunkAsync(new[] { Put(1, "old", "state") });
        await target.ApplySnapshotFromFileAsync(
            metadata: new SnapshotMetadata(lastIncluded, checksum), snapshotPath: At("snapshot"));
        Assert.Equal(lastIncluded, target.LastApplied);
        Assert.Equal(["a", "b"], target.ScanPrefix([]).Entries.Select(entry => Text(entry.Key.Span)));
        Assert.Equal("1", Text(target.Get("a"u8)));
        await target.ApplyChunkAsync(new[] { Put(3, "a", "later") });

        var wrong = new SnapshotMetadata(new LogId(9, 1), new byte[32]);
        await Assert.ThrowsAsync<SnapshotRejectedException>(
            () => target.ApplySnapshotFromFileAsync(wrong, At("snapshot")));
        Assert.Equal("later", Text(target.Get("a"u8)));

        await target.ResetAsync();
        Assert.True(target.IsEmpty);
        Assert.Equal(default, target.LastApplied);
    }

    [Fact]
    public async Task LeaseExpiresByLogClock()
    {
        await using var machine = LsmStateMachine.Open(At("db"), new EngineOptions { LeaseClock = LeaseClock.Log });
        await machine.ApplyChunkAsync(new[]
        {
            new ApplyEntry(1, 1, Command.Insert(Bytes("lock"), Bytes("held"), ttlSeconds: 2), TimestampMs: 1_000),
            new ApplyEntry(2, 1, Command.Noop, TimestampMs: 2_999),
        });
        Assert.Equal("held", Text(machine.Get("lock"u8)));
        await machine.ApplyChunkAsync(new[] { new ApplyEntry(3, 1, Command.Noop, TimestampMs: 3_000) });
        Assert.Null(machine.Get("lock"u8));
        Assert.Equal(0, machine.Count);
        var expired = await machine.LeaseBackgroundCleanupAsync();
        Assert.Equal("lock", Text(Assert.Single(expired).Span));
    }

    [Fact]
    public async Task CompactionKeepsReads()
    {
        await using var machine = LsmStateMachine.Open(At("db"));
        await machine.ApplyChunkAsync(
            new[] { Put(1, "a", "1"), Put(2, "b", "2"), new ApplyEntry(3, 1, Command.Delete(Bytes("a"))) });
        await machine.CompactAsync();
        Assert.Equal(["b"], machine.ScanPrefix([]).Entries.Select(entry => Text(entry.Key.Span)));
        var statistics = machine.GetStatistics();
        Assert.Equal(machine.LastApplied, statistics.LastApplied);
        Assert.Equal(3, statistics.EntriesApplied);
        Assert.True(machine.DurableLogId.Index <= machine.LastApplied.Index);
    }

    private string At(string name) => Path.Combine(_root, name);

    private static ApplyEntry Put(ulong index, string key, string value, ulong term = 1) =>
        new(index, term, Command.Insert(Bytes(key), Bytes(value)));

    private static ApplyEntry Swap(ulong index, string key, string? expected, string value, ulong term = 1) =>
        new(
            index, term,
            Command.CompareAndSwap(
                Bytes(key), expected is null ? null : Encoding.UTF8.GetBytes(expected), Bytes(value)));

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string? Text(byte[]? bytes) => bytes is null ? null : Encoding.UTF8.GetString(bytes);

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    private static string Pair(EntryView entry) => Text(entry.Key) + "=" + Text(entry.Value);
}
