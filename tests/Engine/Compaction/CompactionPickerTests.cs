using Varve.Compaction;
using Varve.Tests.Tables;
using Varve.Versions;
using Xunit;

namespace Varve.Tests.Engine.Compaction;

/// <summary>What is compacted follows from the runs and the options alone.</summary>
public class CompactionPickerTests
{
    private static readonly EngineOptions Options = new() { UpperRunsMax = 3, BottomMergeRatio = 0.5 };

    [Fact]
    public void OneRunIsLeftAlone()
    {
        Assert.Equal(CompactionChoice.None, CompactionPicker.Pick([], Options));
        Assert.Equal(CompactionChoice.None, CompactionPicker.Pick([RunOf("a", "z", 10)], Options));
    }

    [Fact]
    public void UpperRunsGatherUntilThereAreEnough() =>
        Assert.Equal(CompactionChoice.None, CompactionPicker.Pick([RunOf("b", "c", 1), RunOf("b", "c", 1), RunOf("a", "z", 500)], Options));

    [Fact]
    public void SmallUpperRunsAreMergedAmongThemselves() =>
        Assert.Equal(new CompactionChoice(0, 3, IsMove: false), CompactionPicker.Pick([RunOf("b", "c", 1), RunOf("b", "c", 1), RunOf("b", "c", 1), RunOf("a", "z", 5000)], Options));

    [Fact]
    public void LargeUpperRunsAreMergedWithTheBottom() =>
        Assert.Equal(new CompactionChoice(0, 4, IsMove: false), CompactionPicker.Pick([RunOf("b", "c", 200), RunOf("b", "c", 200), RunOf("b", "c", 200), RunOf("a", "z", 300)], Options));

    [Fact]
    public void ARunThatInterleavesWithNothingMovesDown()
    {
        Assert.Equal(new CompactionChoice(0, 2, IsMove: true), CompactionPicker.Pick([RunOf("n", "z", 10), RunOf("a", "m", 10)], Options));
        Assert.Equal(new CompactionChoice(1, 2, IsMove: true), CompactionPicker.Pick([RunOf("b", "c", 1), RunOf("n", "z", 10), RunOf("a", "m", 10)], Options));
    }

    [Fact]
    public void ARunThatTouchesTheBottomOrHasTombstonesDoesNotMove()
    {
        Assert.Equal(CompactionChoice.None, CompactionPicker.Pick([RunOf("m", "z", 10), RunOf("a", "m", 10)], Options));
        Assert.Equal(CompactionChoice.None, CompactionPicker.Pick([new Run(2, [TableOf([TestTable.Tombstone("x")])]), RunOf("a", "m", 10)], Options));
    }

    [Fact]
    public void EverythingIsEverythingUnlessThereIsNothingToDo()
    {
        Assert.Equal(CompactionChoice.None, CompactionPicker.PickAll([]));
        Assert.Equal(CompactionChoice.None, CompactionPicker.PickAll([RunOf("a", "z", 10)]));
        Assert.Equal(new CompactionChoice(0, 1, IsMove: false), CompactionPicker.PickAll([new Run(1, [TableOf([TestTable.Leased("x", 5, "v")])])]));
        Assert.Equal(new CompactionChoice(0, 2, IsMove: false), CompactionPicker.PickAll([RunOf("n", "z", 10), RunOf("a", "m", 10)]));
    }

    /// <summary>A run of one table from one key to another, of about so many KiB.</summary>
    private static Run RunOf(string first, string last, int kibibytes) =>
        new(1, [TableOf([TestTable.Put(first, new string('v', kibibytes << 10)), TestTable.Put(last, "v")])]);

    private static TableHandle TableOf(TestRow[] rows)
    {
        var table = TestTable.Write(rows);
        return new TableHandle(table.Storage, TestTable.Path, table.Open());
    }
}
