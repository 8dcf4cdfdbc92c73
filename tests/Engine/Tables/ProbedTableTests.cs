using Varve.Format;
using Varve.Memory;
using Varve.Tables;
using Xunit;

namespace Varve.Tests.Tables;

/// <summary>
/// A probed table touches a block only once it is resident, and reads it when it is not: a touch before that ends the
/// test run.
/// </summary>
public sealed class ProbedTableTests
{
    private const int Rows = 20_000;

    [Theory]
    [MemberData(nameof(TableModelTests.ShapesAndBlocks), MemberType = typeof(TableModelTests))]
    public void ColdTableMatchesModel(int shape, int blockBytes)
    {
        var written = TestTable.Write(TestRows.OfShape(shape, 2000 + shape, shape == 8 ? 40 : 400), blockBytes);
        using var table = Open(written, out ColdStorage cold);
        TableModelTests.Check(written, table, 5, cold.Evict);
    }

    [Fact]
    public void GetReadsItsBlockUnlessItIsResident()
    {
        var written = Written();
        using var table = Open(written, out ColdStorage cold);
        for (var row = 0; row < Rows; row += 997)
        {
            cold.Evict();
            cold.Forget();
            Assert.True(Find(table, written.Rows[row]));
            var read = Assert.Single(cold.Calls);
            Assert.True(read.IsRead);
            Assert.InRange(read.Length, 1, 16 << 10);
            cold.Forget();
            Assert.True(Find(table, written.Rows[row]));
            Assert.Empty(cold.Calls);
        }
    }

    [Fact]
    public void LargeBlockIsReadInPiecesRequestedAtOnce()
    {
        TestRow large = new([5], RecordKind.Put, 0, new byte[300_000]);
        var written = TestTable.Write([large]);
        using var table = Open(written, out ColdStorage cold);
        Assert.True(Find(table, large));
        Assert.False(cold.Calls[0].IsRead);
        Assert.InRange(cold.Calls[0].Length, 300_000, 301_000);
        AssertFollowEachOther(cold.Calls[0].Offset, cold.Calls[0].End, cold.Calls.Skip(1));
    }

    [Fact]
    public void GroupRequestsAllBlocksBeforeWaiting()
    {
        var written = Written();
        using var table = Open(written, out ColdStorage cold);
        byte[][] keys = [.. Enumerable.Range(0, 8).Select(i => written.Rows[i * 2_000].Key)];
        int[] blocks = [.. keys.Select(key => table.FindBlock(key, TestHash.Of(key)))];
        ulong[] candidates = [.. keys.Select((key, i) => table.FindCandidates(blocks[i], TestHash.Of(key)))];
        for (var i = 0; i < keys.Length; i++)
            Assert.True(table.FindRow(blocks[i], keys[i], candidates[i]).Exists);
        Assert.Equal(2 * keys.Length, cold.Calls.Count);
        Assert.Equal(
            cold.Calls.Take(keys.Length).Select(call => call with { IsRead = true }), cold.Calls.Skip(keys.Length));
    }

    [Fact]
    public void WalkReadsOnceAndReadsAhead()
    {
        using var table = Open(Written(), out ColdStorage cold);
        Assert.Equal(Rows, Up(new TableCursor(table)));
        ColdCall[] up = [.. cold.Calls];
        AssertFollowEachOther(0, up.Max(call => call.End), up.Where(call => call.IsRead));
        // Each is asked for twice: while the walk is still before it, and when it is its turn and it has not come.
        Assert.Equal(up[^1].End, up.Where(call => !call.IsRead).Max(call => call.End));
        Assert.Contains(up.Zip(up.Skip(1)), pair => !pair.First.IsRead && pair.First == pair.Second);
        Assert.True(up.Count(call => !call.IsRead) < 60, "windows grow");

        cold.Forget();
        Assert.Equal(Rows, Up(new TableCursor(table)));
        Assert.Empty(cold.Calls);

        cold.Evict();
        Assert.Equal(Rows, Down(new TableCursor(table)));
        Assert.Equal(
            up.Where(call => call.IsRead).Sum(call => call.Length),
            cold.Calls.Where(call => call.IsRead).Sum(call => call.Length));
        Assert.Contains(cold.Calls.Zip(cold.Calls.Skip(1)), pair => !pair.First.IsRead && pair.First == pair.Second);
    }

    [Fact]
    public unsafe void WalkReadsNothingBeyondItsLimit()
    {
        var written = Written();
        using var table = Open(written, out ColdStorage cold);
        Assert.Equal(Rows, Up(new TableCursor(table)));
        var whole = cold.Calls.Max(call => call.End);
        fixed (byte* middle = written.Rows[Rows / 2].Key)
        {
            var key = new FixedBytes(middle, written.Rows[Rows / 2].Key.Length);
            cold.Evict();
            cold.Forget();
            var up = new TableCursor(table);
            up.LimitAbove(key);
            Assert.Equal(Rows / 2, Up(up));
            var end = cold.Calls.Max(call => call.End);
            Assert.InRange(end, whole * 49 / 100, whole * 51 / 100);

            cold.Evict();
            cold.Forget();
            var down = new TableCursor(table);
            down.LimitBelow(key);
            Assert.Equal(Rows / 2, Down(down));
            Assert.InRange(cold.Calls.Min(call => call.Offset), whole * 49 / 100, end);
        }
    }

    [Fact]
    public void ShortWalkReadsLittle()
    {
        var written = Written();
        using var table = Open(written, out ColdStorage cold);
        var cursor = new TableCursor(table);
        Assert.True(cursor.Seek(written.Rows[Rows / 3].Key));
        for (var i = 0; i < 5; i++)
            Assert.True(cursor.MoveNext());
        Assert.InRange(cold.Calls.Sum(call => call.Length), 1, 64 << 10);
    }

    [Fact]
    public void UnreadableBlockFailsUntilItCanBeRead()
    {
        var written = Written();
        using var table = Open(written, out ColdStorage cold);
        cold.IsBroken = true;
        Assert.Throws<IOException>(() => Find(table, written.Rows[7]));
        Assert.Throws<IOException>(() => new TableCursor(table).SeekFirst());
        cold.IsBroken = false;
        Assert.True(Find(table, written.Rows[7]));
    }

    [Fact]
    public void DamageIsDetectedAfterProbe()
    {
        var written = Written();
        byte[] bytes = [.. written.Bytes];
        bytes[200] ^= 1;
        written.Bytes = bytes;
        using var table = Open(written, out _);
        for (var round = 0; round < 2; round++)
        {
            Assert.Throws<CorruptionException>(() => Find(table, written.Rows[0]));
            Assert.Throws<CorruptionException>(() => new TableCursor(table).SeekFirst());
        }
    }

    [Fact]
    public void FileStaysOpenAsLongAsTable()
    {
        var written = Written();
        var table = Open(written, out ColdStorage cold);
        Assert.Equal((1, 1), (cold.LiveFiles, cold.LiveMappings));
        table.Dispose();
        table.Dispose();
        Assert.Equal((0, 0), (cold.LiveFiles, cold.LiveMappings));
        Assert.Throws<CorruptionException>(() =>
            Table.Open(cold, TestTable.Path, written.Descriptor with { OriginNumber = 8 }, false, TableAccess.Probed));
        Assert.Equal((0, 0), (cold.LiveFiles, cold.LiveMappings));
        using var mapped = Table.Open(cold, TestTable.Path, written.Descriptor, false);
        Assert.Equal((0, 1), (cold.LiveFiles, cold.LiveMappings));
    }

    [Fact]
    public void ProbesAndReadsAllocateNothing()
    {
        var written = Written();
        using var table = Open(written, out ColdStorage cold);
        for (var i = 0; i < 500; i++)
            Both(i);
        cold.Forget();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 500; i++)
            Both(i);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Both(int i)
        {
            cold.Evict();
            if (!Find(table, written.Rows[i]) || !Find(table, written.Rows[i]))
                throw new InvalidOperationException("not found");
        }
    }

    private static TestTable Written() => TestTable.Write(TestRows.OfShape(0, 3, Rows));

    private static Table Open(TestTable written, out ColdStorage cold)
    {
        cold = new ColdStorage(written.Storage);
        var table = Table.Open(cold, TestTable.Path, written.Descriptor, paranoid: false, TableAccess.Probed);
        cold.Forget();
        return table;
    }

    private static bool Find(Table table, TestRow row)
    {
        var found = table.Find(row.Key, TestHash.Of(row.Key));
        return found.Exists && found.Value.SequenceEqual(row.Value);
    }

    private static int Up(TableCursor cursor)
    {
        var count = 0;
        for (var ok = cursor.SeekFirst(); ok; ok = cursor.MoveNext())
            count += cursor.Row.Value.Length == 100 ? 1 : 0;
        return count;
    }

    private static int Down(TableCursor cursor)
    {
        var count = 0;
        for (var ok = cursor.SeekLast(); ok; ok = cursor.MovePrevious())
            count += cursor.Row.Value.Length == 100 ? 1 : 0;
        return count;
    }

    private static void AssertFollowEachOther(long from, long end, IEnumerable<ColdCall> calls)
    {
        foreach (var call in calls)
        {
            Assert.Equal(from, call.Offset);
            from = call.End;
        }
        Assert.Equal(end, from);
    }
}
