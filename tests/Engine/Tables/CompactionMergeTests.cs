using Varve.Iterators;
using Varve.Memory;
using Varve.Tables;
using Xunit;

namespace Varve.Tests.Tables;

/// <summary>A merge of runs gives every key once, in order, with what the newest run that has it says.</summary>
public sealed class CompactionMergeTests
{
    [Theory]
    [MemberData(nameof(TestRows.ShapesAndRuns), MemberType = typeof(TestRows))]
    public void MergedRunsMatchModel(int shape, int runCount)
    {
        var runs = TestRows.RunsOfShape(shape, runCount);
        var model = new SortedDictionary<byte[], TestRow>(KeyOrder.Instance);
        foreach (var row in runs.Reverse().SelectMany(run => run))
            model[row.Key] = row;
        Check([.. runs.Select(run => Tables(run, tables: 1 + run.Count % 3))], model.Values);
    }

    [Fact]
    public void DisjointRunsAreConcatenated()
    {
        var rows = TestRows.OfShape(1, 5, 2_000);
        rows.Sort((a, b) => KeyOrder.Instance.Compare(a.Key, b.Key));
        Check([Tables(rows[1_500..], 2), Tables(rows[..700], 3), Tables(rows[700..1_500], 1)], rows);
    }

    private static void Check(Table[][] runs, IEnumerable<TestRow> expected)
    {
        using (var merge = new CompactionMerge(runs, TestHash.Seed))
        {
            foreach (var row in expected)
            {
                Assert.True(merge.MoveNext(out RowRef merged));
                Assert.True(merged.Key.SequenceEqual(row.Key));
                Assert.Equal(TestHash.Of(row.Key), merged.Hash);
                Assert.Equal((row.Kind, row.Deadline), (merged.Kind, merged.Deadline));
                Assert.True(ValueOf(merged).SequenceEqual(row.Value));
            }
            Assert.False(merge.MoveNext(out _));
            Assert.False(merge.MoveNext(out _));
        }
        foreach (var table in runs.SelectMany(run => run))
            table.Dispose();
    }

    private static unsafe ReadOnlySpan<byte> ValueOf(in RowRef row) => new(row.ValueAddress, row.ValueLength);

    private static Table[] Tables(List<TestRow> rows, int tables)
    {
        rows.Sort((a, b) => KeyOrder.Instance.Compare(a.Key, b.Key));
        return [.. rows.Chunk((rows.Count + tables - 1) / tables).Select(
            part => TestTable.Write(part, blockBytes: 512).Open())];
    }
}
