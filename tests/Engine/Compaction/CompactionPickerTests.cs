using Varve.Compaction;
using Varve.Tables;
using Varve.Tests.Tables;
using Xunit;

namespace Varve.Tests.Engine.Compaction;

/// <summary>The choice of a compaction follows from the runs and the options alone.</summary>
public class CompactionPickerTests
{
    private static readonly EngineOptions Options = new() { UpperRunsMax = 3, BottomMergeRatio = 0.5 };

    [Fact]
    public void SingleRunIsNotCompacted()
    {
        Assert.Equal(CompactionChoice.None, CompactionPicker.Pick([], Options));
        Assert.Equal(CompactionChoice.None, CompactionPicker.Pick([RunOf("a", "z", 10)], Options));
    }

    [Fact]
    public void UpperRunsWaitUntilEnoughToMerge() =>
        Assert.Equal(
            CompactionChoice.None,
            CompactionPicker.Pick([RunOf("b", "c", 1), RunOf("b", "c", 1), RunOf("a", "z", 500)], Options));

    [Fact]
    public void SmallUpperRunsMergeWithoutBottom() =>
        Assert.Equal(new CompactionChoice(0, 3, CompactionKind.Merge), CompactionPicker.Pick(
            [RunOf("b", "c", 1), RunOf("b", "c", 1), RunOf("b", "c", 1), RunOf("a", "z", 5000)], Options));

    [Fact]
    public void MergedUpperRunIsNotMergedAgainWithSmallRuns()
    {
        var options = Options with { MemtableBytes = 64 << 10 };
        Run Small() => RunOf("b", "c", 50);
        Assert.Equal(
            CompactionChoice.None,
            CompactionPicker.Pick([Small(), Small(), RunOf("b", "c", 200), RunOf("a", "z", 5000)], options));
        Assert.Equal(
            new CompactionChoice(0, 3, CompactionKind.Merge),
            CompactionPicker.Pick([Small(), Small(), Small(), RunOf("b", "c", 200), RunOf("a", "z", 5000)], options));
    }

    [Fact]
    public void RunsOfMixedSizesStayBounded()
    {
        Run[] runs = [.. Enumerable.Range(0, 6).Select(i => RunOf("b", "c", 100 << i)), RunOf("a", "z", 90_000)];
        Assert.Equal(
            new CompactionChoice(0, 2, CompactionKind.Merge),
            CompactionPicker.Pick(runs, Options with { MemtableBytes = 64 << 10 }));
    }

    [Fact]
    public void RunsAboveInputsOfOngoingCompactionCountAsUpperRuns()
    {
        Run Small() => RunOf("b", "c", 1);
        Run input = Small(), bottom = RunOf("a", "z", 500);
        Assert.Equal(CompactionChoice.None, CompactionPicker.PickAbove([input, bottom], input, Options));
        Assert.Equal(
            CompactionChoice.None, CompactionPicker.PickAbove([Small(), Small(), input, bottom], input, Options));
        Assert.Equal(
            new CompactionChoice(0, 3, CompactionKind.Merge),
            CompactionPicker.PickAbove([Small(), Small(), Small(), input, bottom], input, Options));
    }

    [Fact]
    public void NoRunIsAboveInputsThatAreGone() =>
        Assert.Equal(CompactionChoice.None, CompactionPicker.PickAbove(
            [RunOf("b", "c", 1), RunOf("b", "c", 1), RunOf("b", "c", 1), RunOf("a", "z", 500)], RunOf("a", "z", 1),
            Options));

    [Fact]
    public void MergeTakesAtMostRunsAtOnceMax()
    {
        Run[] runs = [.. Enumerable.Range(0, 40).Select(_ => RunOf("b", "c", 1)), RunOf("a", "z", 1)];
        Assert.Equal(
            new CompactionChoice(
                41 - CompactionPicker.RunsAtOnceMax, CompactionPicker.RunsAtOnceMax, CompactionKind.Merge),
            CompactionPicker.PickAll(runs));
    }

    [Fact]
    public void DeletesThatHideMuchOfBottomAreMergedEarly()
    {
        var deletes = new Run(
            2, [TableOf([.. Enumerable.Range(0, 1000).Select(i => TestTable.Tombstone($"k{i:D4}"))])]);
        var bottom = new Run(1, [TableOf([.. Enumerable.Range(0, 2000).Select(i => TestTable.Put($"k{i:D4}", "v"))])]);
        Assert.Equal(
            new CompactionChoice(0, 2, CompactionKind.Merge), CompactionPicker.Pick([deletes, bottom], Options));
        Assert.Equal(new CompactionChoice(0, 1, CompactionKind.Merge), CompactionPicker.Pick([deletes], Options));
    }

    [Fact]
    public void IdleMergesRunsThatMayFreeTenthOfSpace()
    {
        Assert.Equal(CompactionChoice.None, CompactionPicker.PickIdle([]));
        Assert.Equal(CompactionChoice.None, CompactionPicker.PickIdle([RunOf("a", "z", 500)]));
        Assert.Equal(CompactionChoice.None, CompactionPicker.PickIdle([RunOf("b", "c", 1), RunOf("a", "z", 5000)]));
        Assert.Equal(
            new CompactionChoice(0, 2, CompactionKind.Merge),
            CompactionPicker.PickIdle([RunOf("b", "c", 600), RunOf("a", "z", 5000)]));
        Assert.Equal(
            new CompactionChoice(0, 1, CompactionKind.Merge),
            CompactionPicker.PickIdle([new Run(1, [TableOf([TestTable.Tombstone("k"), TestTable.Put("l", "v")])])]));
    }

    [Fact]
    public void LargeUpperRunsAreMergedWithBottom() =>
        Assert.Equal(new CompactionChoice(0, 4, CompactionKind.Merge), CompactionPicker.Pick(
            [RunOf("b", "c", 200), RunOf("b", "c", 200), RunOf("b", "c", 200), RunOf("a", "z", 300)], Options));

    [Fact]
    public void RunWithoutOverlapMovesDown()
    {
        Assert.Equal(
            new CompactionChoice(0, 2, CompactionKind.TrivialMove),
            CompactionPicker.Pick([RunOf("n", "z", 10), RunOf("a", "m", 10)], Options));
        Assert.Equal(
            new CompactionChoice(1, 2, CompactionKind.TrivialMove),
            CompactionPicker.Pick([RunOf("b", "c", 1), RunOf("n", "z", 10), RunOf("a", "m", 10)], Options));
    }

    [Fact]
    public void RunThatOverlapsBottomOrHasTombstonesIsNotMoved()
    {
        Assert.Equal(CompactionChoice.None, CompactionPicker.Pick([RunOf("m", "z", 10), RunOf("a", "m", 10)], Options));
        Assert.Equal(
            CompactionChoice.None,
            CompactionPicker.Pick([new Run(2, [TableOf([TestTable.Tombstone("x")])]), RunOf("a", "m", 10)], Options));
    }

    [Fact]
    public void PickAllTakesAllRunsUnlessNothingToDo()
    {
        Assert.Equal(CompactionChoice.None, CompactionPicker.PickAll([]));
        Assert.Equal(CompactionChoice.None, CompactionPicker.PickAll([RunOf("a", "z", 10)]));
        Assert.Equal(
            new CompactionChoice(0, 1, CompactionKind.Merge),
            CompactionPicker.PickAll([new Run(1, [TableOf([TestTable.Leased("x", 5, "v")])])]));
        Assert.Equal(
            new CompactionChoice(0, 2, CompactionKind.Merge),
            CompactionPicker.PickAll([RunOf("n", "z", 10), RunOf("a", "m", 10)]));
    }

    /// <summary>A run of one table between two keys, of about the given KiB.</summary>
    [Fact]
    public void RunWithTablesMaxTakesNoMore()
    {
        Run[] runs = [RunOf("x", "z", 1), RunOf("a", "c", 1)];
        Assert.Equal(
            new CompactionChoice(0, 2, CompactionKind.TrivialMove),
            CompactionPicker.Pick(runs, Options with { TablesInRunMax = 2 }));
        Assert.Equal(CompactionChoice.None, CompactionPicker.Pick(runs, Options with { TablesInRunMax = 1 }));
    }

    private static Run RunOf(string first, string last, int kibibytes) =>
        new(1, [TableOf([TestTable.Put(first, new string('v', kibibytes << 10)), TestTable.Put(last, "v")])]);

    private static TableHandle TableOf(TestRow[] rows)
    {
        var table = TestTable.Write(rows);
        return new TableHandle(table.Storage, TestTable.Path, table.Open());
    }
}
