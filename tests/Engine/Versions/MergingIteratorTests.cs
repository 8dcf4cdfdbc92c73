using Varve.Iterators;
using Varve.Memory;
using Varve.Tables;
using Varve.Tests.Tables;
using Xunit;

namespace Varve.Tests.Versions;

/// <summary>
/// A scan over runs gives every key between its bounds once, in order, in both directions, with what the newest run
/// that has it says.
/// </summary>
public sealed class MergingIteratorTests
{
    [Theory]
    [MemberData(nameof(TestRows.ShapesAndRuns), MemberType = typeof(TestRows))]
    public void ScanOfRunsMatchesModel(int shape, int runCount)
    {
        var runs = TestRows.RunsOfShape(shape, runCount);
        Check(runs, shape);
    }

    [Fact]
    public void RunsThatHardlyInterleaveAreWalkedInLongWindows()
    {
        var rows = TestRows.OfShape(1, 5, 2_000);
        Check([rows[400..900], rows[..700], rows[650..1_500], rows[1_499..]], 5);
    }

    [Fact]
    public void MoreRunsThanTournamentSearchesAreMerged() =>
        Check(TestRows.RunsOfShape(1, HeadTournament.SearchableInputsMax + 6), 7);

    private static void Check(List<TestRow>[] rows, int seed)
    {
        var model = new SortedDictionary<byte[], TestRow>(KeyOrder.Instance);
        foreach (var row in rows.Reverse().SelectMany(run => run)) model[row.Key] = row;
        TestRow[] sorted = [.. model.Values];
        Run[] runs = [.. rows.Select(
            (run, age) => new Run((ulong)(rows.Length - age), Tables(run, tables: 1 + run.Count % 3)))];
        var random = new Random(seed);
        byte[][] bounds = [[], .. TestRows.Probes(sorted, seed)];
        using (var cursor = new MergingIterator())
        {
            cursor.Open([], runs, 0);
            for (var i = 0; i < 200; i++)
            {
                var (from, to) =
                    i == 0 ? ([], []) : (bounds[random.Next(bounds.Length)], bounds[random.Next(bounds.Length)]);
                if (i % 10 == 1) to = [.. from, 0, 0];
                if (to.Length > 0 && KeyOrder.Instance.Compare(from, to) > 0) (from, to) = (to, from);
                TestRow[] expected = [.. sorted.Where(row => KeyOrder.Instance.Compare(row.Key, from) >= 0
                    && (to.Length == 0 || KeyOrder.Instance.Compare(row.Key, to) < 0))];
                Walk(cursor, from, to, isBackward: false, expected);
                Array.Reverse(expected);
                Walk(cursor, from, to, isBackward: true, expected);
            }

            cursor.Release();
        }

        foreach (var table in runs.SelectMany(run => run.Tables)) table.Release();
    }

    private static void Walk(MergingIterator cursor, byte[] from, byte[] to, bool isBackward, TestRow[] expected)
    {
        using var memory = new NativeBuffer();
        var bytes = memory.Reserve(from.Length + to.Length);
        from.CopyTo(bytes);
        to.CopyTo(bytes[from.Length..]);
        var limit = isBackward ? memory.Slice(0, from.Length) : memory.Slice(from.Length, to.Length);
        var shared = from.AsSpan().CommonPrefixLength(to);
        if (!isBackward && from.Length == 0) cursor.SeekFirst(limit, shared);
        else if (!isBackward) cursor.Seek(from, limit, shared);
        else if (to.Length == 0) cursor.SeekLast(limit, shared);
        else cursor.SeekBefore(to, limit, shared);
        foreach (var row in expected)
        {
            Assert.True(cursor.IsValid);
            Assert.True(cursor.Key.SequenceEqual(row.Key));
            Assert.Equal((row.Kind, row.Deadline), (cursor.Kind, cursor.Deadline));
            Assert.True(cursor.Value.SequenceEqual(row.Value));
            cursor.Move();
        }

        Assert.False(cursor.IsValid);
    }

    private static TableHandle[] Tables(List<TestRow> rows, int tables)
    {
        rows.Sort((a, b) => KeyOrder.Instance.Compare(a.Key, b.Key));
        return [.. rows.Chunk((rows.Count + tables - 1) / tables).Select(Handle)];
    }

    private static TableHandle Handle(TestRow[] rows)
    {
        var written = TestTable.Write(rows, blockBytes: 512);
        return new TableHandle(written.Storage, TestTable.Path, written.Open());
    }
}
