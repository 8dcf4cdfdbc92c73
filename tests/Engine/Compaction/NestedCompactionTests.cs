using System.Diagnostics;
using System.Text;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Compaction;

/// <summary>
/// A merge may take minutes. Runs flushed meanwhile are compacted in the middle of it, so that reads do not meet a run
/// for each flush.
/// </summary>
public sealed class NestedCompactionTests : IDisposable
{
    private const int ChunkEntries = 50;
    private static readonly byte[] Value = new byte[1000];
    private readonly Database _database = new();
    private readonly ApplyResult[] _results = new ApplyResult[ChunkEntries];
    private ulong _next = 1;

    public void Dispose() => _database.Dispose();

    [Fact]
    public async Task RunsStayFewDuringLargeMergeAndMergeEnds()
    {
        var most = 0;
        using (var machine = _database.Open(Database.Small with { UpperRunsMax = 4 }))
        {
            while (_next < 30_000) Apply(machine);
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

            Assert.True(
                merged.IsCompleted, "what is asked for is not begun, or does not end, while something is applied");
            await merged;
            Assert.True(machine.GetStatistics().Flushes > flushes + 20, "too few flushes to tell");
            AssertIsWhole(machine);
        }

        Assert.InRange(most, 2, 50);
        using var again = _database.Open();
        AssertIsWhole(again);
    }

    private void AssertIsWhole(LsmStateMachine machine)
    {
        Assert.Equal(_next - 1, machine.LastApplied.Index);
        Assert.Equal((long)_next - 1, machine.Count);
        var keys =
            Enumerable.Range(1, (int)_next - 1).Select(index => KeyOf((ulong)index)).Order(StringComparer.Ordinal);
        Assert.Equal(keys, machine.ScanPrefix([]).Entries.Select(entry => Encoding.ASCII.GetString(entry.Key.Span)));
    }

    private void Apply(LsmStateMachine machine)
    {
        var chunk = new ApplyEntry[ChunkEntries];
        for (var i = 0; i < ChunkEntries; i++, _next++)
            chunk[i] = new ApplyEntry(_next, 1, Command.Insert(Encoding.ASCII.GetBytes(KeyOf(_next)), Value));
        machine.ApplyChunk(chunk, _results);
    }

    /// <summary>In no order, so that no run follows on another.</summary>
    private static string KeyOf(ulong index) => $"{index * 2_654_435_761 % (1UL << 32):x8}";
}
