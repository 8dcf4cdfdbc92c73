using System.Text;
using Varve.Background;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Compaction;

/// <summary>The number of tables in a run is bounded for any data: each is a mapping, and a process has few.</summary>
public sealed class TablesInRunTests : IDisposable
{
    private const int Max = 16;
    private readonly Database _database = new();

    public void Dispose() => _database.Dispose();

    [Theory]
    [InlineData(true)]    // moved to the bottom as they are, as long as they may be
    [InlineData(false)]   // merged
    public async Task TablesGrowInsteadOfMultiplying(bool isAscending)
    {
        var steps = new ManualScheduler();
        using var machine = _database.Open(
            Database.Small with { TablesInRunMax = Max, UpperRunsMax = 2 }, new EngineSeams(Scheduler: steps));
        var value = new byte[1000];
        var most = 0;
        for (ulong index = 1; index <= 4_000; index++)
        {
            new Random((int)index).NextBytes(value);
            var key = isAscending ? index : index * 7_919 % 4_001;
            machine.ApplyChunk(
                [new ApplyEntry(index, 1, Command.Insert(Encoding.ASCII.GetBytes($"{key:D8}"), value))],
                new ApplyResult[1]);
            if (index % 50 != 0) continue;
            steps.Run();
            most = Math.Max(most, machine.GetStatistics().Runs.Max(run => (int?)run.Tables) ?? 0);
        }

        var compaction = machine.CompactAsync();
        steps.Run();
        await compaction;
        var bottom = Assert.Single(machine.GetStatistics().Runs);
        // More than there may be at that size.
        Assert.True(bottom.Bytes / Database.Small.TableBytes > Max * 2, $"{bottom.Bytes} bytes");
        Assert.InRange(bottom.Tables, 2, Max);
        Assert.InRange(most, 2, Max);
        Assert.Equal(4_000, machine.Count);
    }
}
