using Varve.Background;
using Varve.Memtables;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Versions;

/// <summary>The less of the budget is left, the fewer memtables wait for their flush and are made ahead.</summary>
public sealed class MemoryBudgetTests : IDisposable
{
    private const long Each = 1 << 20;
    private readonly Database _database = new();

    public void Dispose() => _database.Dispose();

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(4, 1, 1)]
    [InlineData(8, 4, 2)]
    [InlineData(12, 6, 4)]
    [InlineData(1000, 6, 4)]
    public void BudgetIsDividedAmongMemtables(int room, int sealedMax, int aheadMax)
    {
        var budget = new MemoryBudget(new EngineOptions { MemoryBudgetBytes = 2000 * Each, SealedMemtablesMax = 6 });
        budget.Review(Each, bytesElsewhere: (2000 - room) * Each);
        Assert.Equal((sealedMax, aheadMax), (budget.SealedMax, budget.AheadMax));
    }

    [Fact]
    public void OvercommittedBudgetLeavesMinimum()
    {
        var budget = new MemoryBudget(new EngineOptions { MemoryBudgetBytes = Each });
        budget.Review(Each, bytesElsewhere: 100 * Each);
        Assert.Equal((1, 1), (budget.SealedMax, budget.AheadMax));
    }

    [Fact]
    public void AppliersWaitBeforeBudgetIsExceeded()
    {
        var options =
            Database.Small with { SealedMemtablesMax = 64, MemoryBudgetBytes = 2 << 20 };
        using var machine = _database.Open(options, new EngineSeams(Scheduler: new ManualScheduler()));
        for (ulong index = 100; index <= 20_000; index += 100)
        {
            NumberedLog.ApplyUpTo(machine, index);
            Assert.InRange(machine.GetStatistics().MemoryBytes, 1, options.MemoryBudgetBytes);
        }

        var statistics = machine.GetStatistics();
        Assert.Equal(options.MemoryBudgetBytes, statistics.MemoryBudgetBytes);
        Assert.True(statistics.FlushStalls > 0);
        NumberedLog.AssertIsWhole(machine);
    }

    [Fact]
    public void LargeChunkCountsAgainstBudget()
    {
        var options = Database.Small with
        {
            SealedMemtablesMax = 64,
            MemoryBudgetBytes = 8 << 20,
            LogGaps = LogGapPolicy.Allow
        };
        using var machine = _database.Open(options, new EngineSeams(Scheduler: new ManualScheduler()));
        while (machine.GetStatistics().Memtables < 3) NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 20);
        Assert.Equal(0, machine.GetStatistics().FlushStalls);

        // Non-consecutive indexes take more bytes: the record has a segment of its own, and the budget is reviewed
        // during the apply.
        var next = machine.LastApplied.Index + 1;
        var chunk = new ApplyEntry[100_000];
        for (var i = 0; i < chunk.Length; i++)
            chunk[i] = new ApplyEntry(next + (2 * (ulong)i), machine.LastApplied.Term, Command.Noop);
        machine.ApplyChunk(chunk, new ApplyResult[chunk.Length]);
        Assert.Equal(4, machine.GetStatistics().Memtables);
        machine.ApplyChunk(
            [new ApplyEntry(machine.LastApplied.Index + 1, machine.LastApplied.Term, Command.Noop)],
            new ApplyResult[1]);
        Assert.Equal(1, machine.GetStatistics().FlushStalls);
    }

    [Fact]
    public async Task HistoryCountsAgainstBudget()
    {
        using var machine = _database.Open(Database.Small with { HistoryEntries = 100_000 });
        NumberedLog.ApplyUpTo(machine, 4_000);
        await machine.CompactAsync();
        var settled = machine.GetStatistics();
        // The first was small.
        Assert.InRange(settled.MemoryBytes, (settled.Flushes - 1) * Database.Small.MemtableBytes, long.MaxValue);
    }
}
