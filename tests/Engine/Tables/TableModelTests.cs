using FsCheck;
using FsCheck.Xunit;
using Varve.Format;
using Varve.Tables;
using Xunit;

namespace Varve.Tests.Tables;

/// <summary>A table answers as the sorted list of its rows does.</summary>
public class TableModelTests
{
    public static TheoryData<int, int> ShapesAndBlocks()
    {
        var data = new TheoryData<int, int>();
        for (var shape = 0; shape < TestRows.Shapes; shape++)
        {
            data.Add(shape, 512);
            data.Add(shape, 8192);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(ShapesAndBlocks))]
    public void EveryShapeOfKeysMatchesModel(int shape, int blockBytes) =>
        CheckAll(TestTable.Write(TestRows.OfShape(shape, 1000 + shape, shape == 8 ? 60 : 1500), blockBytes), 5);

    [Property(MaxTest = 60)]
    public void AnyTableMatchesModel(PositiveInt seed, byte shape, PositiveInt count, NonNegativeInt filterBits) =>
        CheckAll(
            TestTable.Write(
                TestRows.OfShape(
                    shape % TestRows.Shapes, seed.Get, 1 + count.Get % (shape % TestRows.Shapes == 8 ? 20 : 300)),
                512 + seed.Get % 3000,
                filterBits.Get % 33),
            seed.Get);

    [Fact]
    public void TableOfManyBlocksMatchesModel() =>
        CheckAll(TestTable.Write(TestRows.OfShape(0, 3, 20_000), 512), 4);

    [Fact]
    public void TableOfOneRowMatchesModel() => CheckAll(TestTable.Write([TestTable.Put("k", "")]), 1);

    [Fact]
    public void LargeLeasedValueGetsItsOwnBlock()
    {
        var large = new byte[3 << 20];
        new Random(9).NextBytes(large);
        CheckAll(TestTable.Write([
            TestTable.Put("a", "1"), new TestRow([(byte)'b'], RecordKind.LeasedPut, 77, large),
            new TestRow([(byte)'c'], RecordKind.Put, 0, large), TestTable.Put("d", "2")]), 2);
    }

    private static void CheckAll(TestTable written, int seed)
    {
        using var table = written.Open();
        Check(written, table, seed, static () => { });
    }

    /// <summary>All that a table answers; something else happens before each get and each walk.</summary>
    internal static void Check(TestTable written, Table table, int seed, Action before)
    {
        CheckGets(written, table, seed, before);
        before();
        CheckSeeks(written, table, seed);
        before();
        CheckWalks(written, table);
        before();
        CheckLeases(written, table);
        table.Verify();
    }

    private static void CheckGets(TestTable written, Table table, int seed, Action before)
    {
        foreach (var probe in TestRows.Probes(written.Rows, seed).Where(p => p.Length <= ushort.MaxValue))
        {
            before();
            var at = written.LowerBound(probe);
            var present = at < written.Rows.Count && written.Rows[at].Key.AsSpan().SequenceEqual(probe);
            var row = table.Find(probe, TestHash.Of(probe));
            Assert.Equal(present, row.Exists);
            if (present) AssertRow(written.Rows[at], row);
        }
    }

    private static void CheckSeeks(TestTable written, Table table, int seed)
    {
        var cursor = new TableCursor(table);
        foreach (var probe in TestRows.Probes(written.Rows, seed))
        {
            var at = written.LowerBound(probe);
            Assert.Equal(at < written.Rows.Count, cursor.Seek(probe));
            AssertAt(written, cursor, at);
            if (cursor.IsValid)
                Assert.Equal(
                    Math.Sign(written.Rows[at].Key.AsSpan().SequenceCompareTo(probe)),
                    Math.Sign(cursor.CompareKeyTo(probe)));
            Assert.Equal(at > 0, cursor.SeekBefore(probe));
            AssertAt(written, cursor, at - 1);
        }
    }

    private static unsafe void CheckWalks(TestTable written, Table table)
    {
        var cursor = new TableCursor(table);
        Assert.False(cursor.IsValid);
        Assert.False(cursor.MoveNext());
        var buffer = new byte[ushort.MaxValue + 16];
        nint token = 0;
        var at = 0;
        for (var ok = cursor.SeekFirst(); ok; ok = cursor.MoveNext(), at++)
        {
            AssertAt(written, cursor, at);
            fixed (byte* address = buffer)
                Assert.Equal(written.Rows[at].Key, buffer[..cursor.CopyKeyTo(address, ref token)]);
        }
        Assert.Equal(written.Rows.Count, at);
        for (var ok = cursor.SeekLast(); ok; ok = cursor.MovePrevious())
            AssertAt(written, cursor, --at);
        Assert.Equal(0, at);
    }

    private static void CheckLeases(TestTable written, Table table)
    {
        foreach ((ulong from, ulong to) in new (ulong, ulong)[]
        {
            (0, ulong.MaxValue), (0, 0), (10, 20), (20, 10), (49, ulong.MaxValue), (7, 8)
        })
        {
            var expected = written.Rows.Where(r => r.Kind == RecordKind.LeasedPut && r.Deadline > from
                && r.Deadline <= to).OrderBy(r => r.Deadline).ToList();
            var leases = table.Leases(from, to);
            Assert.Equal(expected.Count, leases.Remaining);
            foreach (var row in expected)
            {
                Assert.True(leases.MoveNext());
                var key = new byte[leases.KeyLength];
                leases.CopyKeyTo(key);
                Assert.Equal(row.Key, key);
                Assert.Equal(row.Deadline, leases.Deadline);
                AssertRow(row, leases.Row);
            }
            Assert.False(leases.MoveNext());
        }
    }

    private static void AssertAt(TestTable written, TableCursor cursor, int at)
    {
        var inside = at >= 0 && at < written.Rows.Count;
        Assert.Equal(inside, cursor.IsValid);
        if (!inside) return;
        var row = written.Rows[at];
        Assert.Equal(row.Key.Length, cursor.KeyLength);
        var key = new byte[cursor.KeyLength];
        cursor.CopyKeyTo(key);
        Assert.True(row.Key.AsSpan().SequenceEqual(key));
        Assert.Equal(KeyHead.Of(row.Key), cursor.Head8);
        AssertRow(row, cursor.Row);
    }

    private static void AssertRow(TestRow expected, KeyVersion actual)
    {
        Assert.Equal(expected.Kind, actual.Kind);
        Assert.Equal(expected.Deadline, actual.Deadline);
        Assert.True(expected.Value.AsSpan().SequenceEqual(actual.Value));
    }
}
