using System.Buffers.Binary;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Changes;

/// <summary>Appliers, clean-ups and flushes beside readers of every pace: no gap, no repetition, no disorder.</summary>
public sealed class ChangesUnderLoadTests
{
    private const int Entries = 30_000;
    private const int Groups = 5;

    [Theory]
    [InlineData(Durability.Process)]
    [InlineData(Durability.Power)]
    public async Task EachReaderGetsItsChangesInOrder(Durability durability)
    {
        var entries = durability == Durability.Power ? Entries / 20 : Entries;
        using var database = new Database();
        using var engine = database.Open(
            Database.Small with { HistoryEntries = Entries * 2, Durability = durability });
        var readers = new List<Task>();
        for (var i = 0; i < 20; i++)
        {
            var (from, group, pace) = ((ulong)(1 + (i * entries / 40)), i % (Groups + 1), i % 4);
            readers.Add(Task.Run(() => ReadAsync(engine, from, group, entries, pace)));
        }

        Apply(engine, entries);
        await Task.WhenAll(readers).WaitAsync(Waiting.Patience);
        Waiting.Until(() => engine.GetStatistics().ChangeReaders == 0);
    }

    /// <summary>The applier's thread allocates nothing, whoever reads.</summary>
    [Fact]
    public async Task ApplierAllocatesNothingBesideReaders()
    {
        using var database = new Database();
        using var engine = database.Open(new EngineOptions { MemtableBytes = 64 << 20 });
        await using var reader = new FeedReader(engine, 1, "\0");
        var results = new ApplyResult[1];
        var chunk = new ApplyEntry[1];
        var least = long.MaxValue;
        for (var (window, index) = (0, 0UL); window < 4; window++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 2_000; i++)
            {
                chunk[0] = new ApplyEntry(++index, 1, _commands[i % Groups]);
                engine.ApplyChunk(chunk, results);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
        for (var i = 0; i < 8_000 / Groups; i++) await reader.NextChangeAsync();
    }

    private readonly Command[] _commands =
        [.. Enumerable.Range(0, Groups).Select(i => Command.Insert(new[] { (byte)i, (byte)1 }, new byte[20]))];

    private static void Apply(LsmStateMachine engine, int entries)
    {
        var results = new ApplyResult[16];
        for (var index = 1UL; index <= (ulong)entries;)
        {
            var count = Math.Min(1 + (int)(index % 7), entries - (int)index + 1);
            var chunk = new ApplyEntry[count];
            for (var i = 0; i < count; i++, index++) chunk[i] = new ApplyEntry(index, 1, CommandOf(index));
            engine.ApplyChunk(chunk, results);
        }
    }

    /// <summary>Key: the group, then the index, so that each is new. Value: up to a few hundred bytes.</summary>
    private static Command CommandOf(ulong index)
    {
        var key = new byte[9];
        key[0] = (byte)(index % Groups);
        BinaryPrimitives.WriteUInt64LittleEndian(key.AsSpan(1), index);
        return Command.Insert(key, new byte[index % 300]);
    }

    private static async Task ReadAsync(LsmStateMachine engine, ulong from, int group, int entries, int pace)
    {
        byte[] prefix = group == Groups ? [] : [(byte)group];
        var expected = from;
        while (prefix.Length > 0 && expected % Groups != (ulong)group) expected++;
        await foreach (var change in engine.ReadChangesAsync(from, prefix))
        {
            Assert.Equal(expected, change.Index);
            Assert.Equal(ChangeKind.Put, change.Kind);
            Assert.Equal(expected, BinaryPrimitives.ReadUInt64LittleEndian(change.Key.Span[1..]));
            Assert.Equal((int)(expected % 300), change.Value.Length);
            expected += prefix.Length > 0 ? (ulong)Groups : 1;
            if (expected > (ulong)entries) return;
            if (pace > 1 && expected % 64 == 0) await Task.Yield();
            if (pace == 3 && expected % 1_000 == 0) await engine.LeaseBackgroundCleanupAsync();
        }
    }
}
