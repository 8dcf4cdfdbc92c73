using System.Diagnostics;
using System.Text;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Compaction;

/// <summary>A merge may take minutes. What is flushed meanwhile is compacted in its midst, or every read would meet a run for each flush.</summary>
public sealed class CompactionInCompactionTests : IDisposable
{
    private const int ChunkEntries = 50;
    private static readonly byte[] Value = new byte[1000];
    private readonly Database database = new();
    private readonly ApplyResult[] results = new ApplyResult[ChunkEntries];
    private ulong next = 1;

    public void Dispose() => database.Dispose();

    [Fact]
    public async Task RunsDoNotGatherWhileALargeMergeGoesOnAndItComesToItsEnd()
    {
        int most = 0;
        using (var machine = database.Open(Database.Small with { UpperRunsMax = 4 }))
        {
            while (next < 30_000) Apply(machine);
            await machine.CompactAsync();
            Apply(machine);
            var merged = machine.CompactAsync();
            var flushes = machine.GetStatistics().Flushes;
            var started = Stopwatch.GetTimestamp();
            while (!merged.IsCompleted && Stopwatch.GetElapsedTime(started) < Waiting.Patience)
            {
                Apply(machine);
                most = Math.Max(most, machine.GetStatistics().Runs.Count);
            }

            Assert.True(merged.IsCompleted, "what is asked for is not begun, or does not end, while something is applied");
            await merged;
            Assert.True(machine.GetStatistics().Flushes > flushes + 20, "too few flushes to tell");
            AssertIsWhole(machine);
        }

        Assert.InRange(most, 2, 50);
        using var again = database.Open();
        AssertIsWhole(again);
    }

    private void AssertIsWhole(LsmStateMachine machine)
    {
        Assert.Equal(next - 1, machine.LastApplied.Index);
        Assert.Equal((long)next - 1, machine.Count);
        var keys = Enumerable.Range(1, (int)next - 1).Select(index => KeyOf((ulong)index)).Order(StringComparer.Ordinal);
        Assert.Equal(keys, machine.ScanPrefix([]).Entries.Select(entry => Encoding.ASCII.GetString(entry.Key.Span)));
    }

    private void Apply(LsmStateMachine machine)
    {
        var chunk = new ApplyEntry[ChunkEntries];
        for (var i = 0; i < ChunkEntries; i++, next++) chunk[i] = new ApplyEntry(next, 1, Command.Insert(Encoding.ASCII.GetBytes(KeyOf(next)), Value));
        machine.ApplyChunk(chunk, results);
    }

    /// <summary>In no order, so that no run follows on another.</summary>
    private static string KeyOf(ulong index) => $"{index * 2_654_435_761 % (1UL << 32):x8}";
}
