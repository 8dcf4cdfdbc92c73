using System.Buffers;
using System.Text;
using Varve.Tests.Conformance.Known;

namespace Varve.Tests.Conformance.Surface;

/// <summary>The mark of an outer log moves with its chunk, and stands in every state that has the chunk.</summary>
public sealed class MarkTests : MachineTest<EngineMachines>
{
    private LsmStateMachine Engine => (LsmStateMachine)Machine;

    [Fact]
    public async Task MarkMovesWithItsChunk()
    {
        Assert.Equal("", MarkOf(Engine));
        Apply("outer 1", Put(1, "a", "1"), Put(2, "b", "2"));
        Assert.Equal("outer 1", MarkOf(Engine));
        Apply("outer 2", Put(3, "a", "3"));
        Assert.Equal("outer 2", MarkOf(Engine));
        await ReopenAsync();
        Assert.Equal("outer 2", MarkOf(Engine));
        Assert.Equal("a=3 b=2", Scan());
    }

    [Fact]
    public void EncodedChunksMoveItToo()
    {
        var encoded = Encoded(Put(1, "a", "1"));
        Assert.Equal(1, Engine.ApplyChunk(encoded, new ApplyResult[1], "one"u8));
        Assert.Equal("one", MarkOf(Engine));
        encoded = Encoded(Put(2, "a", "2"), Put(3, "a", "3"));
        Assert.Equal(2, Engine.ApplyChunk(Segmented.Of(encoded, () => 3), new ApplyResult[2], "two"u8));
        Assert.Equal("two", MarkOf(Engine));
        Assert.Equal(0, Engine.ApplyChunk(ReadOnlySpan<byte>.Empty, [], "three"u8));
        Assert.Equal("three", MarkOf(Engine));
    }

    [Fact]
    public async Task ChunkWithoutMarkLeavesIt()
    {
        Apply("kept", Put(1, "a", "1"));
        await ApplyAsync(Put(2, "a", "2"));
        Engine.UpdateLastApplied(new LogId(5, 1));
        Assert.Equal("kept", MarkOf(Engine));
        await ReopenAsync();
        Assert.Equal("kept", MarkOf(Engine));
    }

    [Theory]
    [InlineData(Durability.Process)]
    [InlineData(Durability.Power)]
    public async Task EmptyChunkMovesItAlone(Durability durability)
    {
        await ReopenAsync(Options with { Durability = durability });
        Apply("one", Put(1, "a", "1"));
        Apply("two");
        Assert.Equal(("two", new LogId(1, 1)), (MarkOf(Engine), Engine.LastApplied));
        await ReopenAsync();
        Assert.Equal(("two", new LogId(1, 1)), (MarkOf(Engine), Engine.LastApplied));
        Apply("three");
        await ReopenAsync(Options with { Durability = durability });
        Assert.Equal("three", MarkOf(Engine));
    }

    [Fact]
    public async Task DuplicatesMoveIt()
    {
        Apply("one", Put(1, "a", "1"), Swap(2, "a", "other", "2"));
        var results = Apply("two", Put(1, "a", "1"), Swap(2, "a", "other", "2"));
        Assert.Equal([true, false], results.Select(result => result.Succeeded));
        Assert.Equal("two", MarkOf(Engine));
        Apply("three", Swap(2, "a", "other", "2"), Put(3, "a", "3"));
        await ReopenAsync();
        Assert.Equal(("three", "a=3"), (MarkOf(Engine), Scan()));
    }

    [Fact]
    public async Task EmptyMarkRemovesIt()
    {
        Apply("one", Put(1, "a", "1"));
        Apply("", Put(2, "a", "2"));
        Assert.Equal("", MarkOf(Engine));
        Apply("three");
        Apply("");
        await ReopenAsync();
        Assert.Equal("", MarkOf(Engine));
    }

    [Fact]
    public async Task EveryLengthUpTo64IsKept()
    {
        for (var length = 0; length <= 64; length++)
        {
            var mark = Enumerable.Range(1, length).Select(i => (byte)(i * 3)).ToArray();
            Engine.ApplyChunk([Put((ulong)length + 1, "a", "1")], new ApplyResult[1], mark);
            Assert.Equal(mark, BytesOf(Engine));
            await ReopenAsync();
            Assert.Equal(mark, BytesOf(Engine));
        }
    }

    [Fact]
    public void LongerMarkChangesNothing()
    {
        Apply("one", Put(1, "a", "1"));
        var refused = Assert.Throws<ArgumentException>(
            () => Engine.ApplyChunk([Put(2, "a", "2")], new ApplyResult[1], new byte[65]));
        Assert.Equal("mark", refused.ParamName);
        Assert.Throws<ArgumentException>(
            () => Engine.ApplyChunk(Encoded(Put(2, "a", "2")), new ApplyResult[1], new byte[65]));
        Assert.Equal(("one", "a=1", new LogId(1, 1)), (MarkOf(Engine), Scan(), Engine.LastApplied));
    }

    [Fact]
    public void RefusedChunkLeavesIt()
    {
        Apply("one", Put(1, "a", "1"));
        Assert.Throws<LogGapException>(() => Engine.ApplyChunk([Put(9, "a", "2")], new ApplyResult[1], "two"u8));
        Assert.Throws<ArgumentException>(() => Engine.ApplyChunk([Put(2, "a", "2")], [], "two"u8));
        Assert.Equal("one", MarkOf(Engine));
    }

    [Fact]
    public void ShortDestinationGetsItsBeginning()
    {
        Apply("abcdef", Put(1, "a", "1"));
        var room = new byte[3];
        Assert.Equal(6, Engine.ReadMark(room));
        Assert.Equal("abc"u8, room);
        Assert.Equal(6, Engine.ReadMark([]));
    }

    [Fact]
    public void ViewKeepsThatOfItsRevision()
    {
        Apply("one", Put(1, "a", "1"));
        using var first = Engine.OpenView();
        Apply("two");
        using var second = Engine.OpenView();
        Apply("three", Put(2, "a", "2"));
        Apply("");
        using var third = Engine.OpenView();
        Assert.Equal(("one", "two", ""), (MarkOf(first), MarkOf(second), MarkOf(third)));
    }

    [Fact]
    public async Task FlushesAndCompactionsKeepIt()
    {
        Apply("one", Put(1, "a", "1"));
        await Engine.CompactAsync();
        await ReopenAsync();
        Assert.Equal("one", MarkOf(Engine));
        await ApplyAsync(Put(2, "b", "2"));
        await Engine.CompactAsync();
        await ReopenAsync();
        Assert.Equal(("one", "a=1 b=2"), (MarkOf(Engine), Scan()));
    }

    [Fact]
    public async Task SnapshotHasThatOfItsIndex()
    {
        Apply("one", Put(1, "a", "1"), Put(2, "b", "2"));
        Apply("two", Put(3, "a", "3"), Put(4, "b", "4"));
        Apply("two and a half");
        Apply("three", Put(5, "a", "5"));
        // Entry 3 is in the middle of its chunk: the outer entry is not applied whole there.
        (ulong Index, string Mark)[] expected =
            [(0, ""), (1, ""), (2, "one"), (3, "one"), (4, "two and a half"), (5, "three")];
        foreach (var (index, mark) in expected)
        {
            var id = new LogId(index, index == 0 ? 0UL : 1);
            var path = PathOf($"snapshot{index}");
            var metadata = new SnapshotMetadata(id, await Engine.GenerateSnapshotDataAsync(path, id));
            using var other = (LsmStateMachine)Open($"other{index}");
            other.ApplyChunk(ReadOnlySpan<ApplyEntry>.Empty, [], "of its own"u8);
            await other.ApplySnapshotFromFileAsync(metadata, path);
            Assert.Equal((index, mark), (index, MarkOf(other)));
            other.Dispose();
            using var again = (LsmStateMachine)Open($"other{index}");
            Assert.Equal((index, mark), (index, MarkOf(again)));
        }
    }

    [Fact]
    public async Task SnapshotBehindFlushHasMarkOfItsIndex()
    {
        Apply("one", Put(1, "a", "1"));
        Apply("two");
        await Engine.CompactAsync();
        Apply("three", Put(2, "b", "2"));
        var id = new LogId(1, 1);
        var metadata = new SnapshotMetadata(id, await Engine.GenerateSnapshotDataAsync(PathOf("s"), id));
        using var other = (LsmStateMachine)Open("other");
        await other.ApplySnapshotFromFileAsync(metadata, PathOf("s"));
        Assert.Equal("two", MarkOf(other));
    }

    [Fact]
    public async Task ResetRemovesIt()
    {
        Apply("one", Put(1, "a", "1"));
        await Engine.ResetAsync();
        Assert.Equal("", MarkOf(Engine));
        await ApplyAsync(Put(1, "a", "1"));
        Assert.Equal("", MarkOf(Engine));
        await ReopenAsync();
        Assert.Equal("", MarkOf(Engine));
    }

    [Fact]
    public void ReaderShowsThatOfItsState()
    {
        Apply("one", Put(1, "a", "1"));
        using var reader = (LsmStateMachine)Open("db", Options with { ReadOnly = true });
        Apply("two");
        Assert.Equal("one", MarkOf(reader));
        Assert.True(reader.TryCatchUp());
        Assert.Equal("two", MarkOf(reader));
        Assert.False(reader.TryCatchUp());
        Assert.Throws<InvalidOperationException>(
            () => reader.ApplyChunk(ReadOnlySpan<ApplyEntry>.Empty, [], "mine"u8));
    }

    [Fact]
    public void StoppedEngineDoesNotTellIt()
    {
        Engine.Stop();
        Assert.Throws<InvalidOperationException>(() => Engine.ReadMark([]));
    }

    [Fact]
    public async Task OutcomesAreFoundByIndex()
    {
        Apply("", Put(1, "a", "1"), Swap(2, "a", "other", "2"), Noop(3));
        Engine.UpdateLastApplied(new LogId(7, 1));
        await ApplyAsync(Put(8, "a", "8"));
        await ReopenAsync();
        Assert.Equal(
            [null, true, false, true, null, null, null, null, true, null],
            Enumerable.Range(0, 10).Select(index =>
                Engine.TryGetOutcome((ulong)index, out var result) ? result.Succeeded : (bool?)null));
        Assert.True(Engine.TryGetOutcome(2, out var second));
        Assert.Equal(new ApplyResult(2, ApplyStatus.ExpectationFailed), second);
        await Engine.ResetAsync();
        Assert.False(Engine.TryGetOutcome(2, out _));
    }

    private ApplyResult[] Apply(string mark, params ApplyEntry[] chunk)
    {
        var results = new ApplyResult[chunk.Length];
        Engine.ApplyChunk(chunk, results, Bytes(mark));
        return results;
    }

    private static byte[] Encoded(params ApplyEntry[] chunk)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new ChunkWriter(buffer);
        foreach (var entry in chunk) writer.Add(entry);
        return buffer.WrittenSpan.ToArray();
    }

    private static byte[] BytesOf(LsmStateMachine engine)
    {
        var room = new byte[64];
        return room[..engine.ReadMark(room)];
    }

    private static string MarkOf(LsmStateMachine engine) => Encoding.UTF8.GetString(BytesOf(engine));

    private static string MarkOf(in ReadView view)
    {
        var room = new byte[64];
        return Encoding.UTF8.GetString(room.AsSpan(0, view.ReadMark(room)));
    }
}
