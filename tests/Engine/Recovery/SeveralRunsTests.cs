using System.Text;
using Varve.Background;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// Several runs have versions of the same keys: what they add up to stays the same through opening, merging, a snapshot
/// and an install.
/// </summary>
public sealed class SeveralRunsTests : IDisposable
{
    private readonly Database _database = new();
    private readonly ManualScheduler _steps = new();

    private EngineOptions Stepped => Database.Small with { UpperRunsMax = 8 };

    private EngineSeams Seams => new(Scheduler: _steps);

    public void Dispose() => _database.Dispose();

    [Fact]
    public void OpenKeepsOrderCountAndTermsOfRuns()
    {
        var last = WriteRuns();
        for (var opening = 0; opening < 2; opening++)
        {
            using var machine = _database.Open(Stepped, Seams);
            Assert.True(machine.GetStatistics().Runs.Count >= 3);
            Assert.Equal(last, NumberedLog.AssertIsWhole(machine));
            for (ulong index = 1; index <= last; index++)
                Assert.Equal(NumberedLog.TermOf(index), machine.EntryTerm(index));
        }
    }

    [Fact]
    public async Task MergeAboveBottomKeepsTombstones()
    {
        using var machine = _database.Open(Stepped with { UpperRunsMax = 2 }, Seams);
        Put(machine, "base", 400);
        var compaction = machine.CompactAsync();
        _steps.Run();
        await compaction;
        var compactions = machine.GetStatistics().Compactions;
        var results = new ApplyResult[50];
        machine.ApplyChunk([.. Enumerable.Range(0, 50).Select(i =>
            new ApplyEntry(machine.LastApplied.Index + 1 + (ulong)i, 1, Command.Delete(Key("base", i))))], results);
        for (var round = 0; machine.GetStatistics().Compactions == compactions; round++)
        {
            Put(machine, $"more{round}", 40);
            _steps.Run();
        }

        Assert.True(machine.GetStatistics().Runs.Count >= 2);
        Assert.Null(machine.Get(Key("base", 0)));
        Assert.Null(machine.Get(Key("base", 49)));
        Assert.NotNull(machine.Get(Key("base", 50)));
    }

    [Fact]
    public async Task LogClockCompactionKeepsLeasesUnexpiredInLog()
    {
        using var machine = _database.Open(Stepped with { LeaseClock = LeaseClock.Log }, Seams);
        machine.ApplyChunk(
            [new ApplyEntry(
                1, 1, Command.Insert("leased"u8.ToArray(), "1"u8.ToArray(), ttlSeconds: 60), TimestampMs: 1000)],
            new ApplyResult[1]);
        var compaction = machine.CompactAsync();
        _steps.Run();
        await compaction;
        Assert.Equal("1"u8.ToArray(), machine.Get("leased"u8));
        machine.ApplyChunk([new ApplyEntry(2, 1, Command.Noop, TimestampMs: 61_000)], new ApplyResult[1]);
        Assert.Null(machine.Get("leased"u8));
    }

    [Fact]
    public async Task InstallReplacesAllRuns()
    {
        var last = WriteRuns();
        ulong end;
        var snapshot = Path.Combine(_database.Root, "snapshot");
        SnapshotMetadata metadata;
        using (var machine = _database.Open(Stepped, Seams))
        {
            var before =
                machine.ScanPrefix([]).Entries.Select(entry => Encoding.Latin1.GetString(entry.Key.Span)).ToList();
            end = last + 97; // each key once, in the memtable alone: the snapshot's tail, tombstones and all
            NumberedLog.ApplyUpTo(machine, end);
            Assert.Equal(1, machine.GetStatistics().Memtables);
            Assert.Contains(before, key => machine.Get(Encoding.Latin1.GetBytes(key)) is null);
            metadata = new SnapshotMetadata(
                machine.LastApplied, await machine.GenerateSnapshotDataAsync(snapshot, machine.LastApplied));
        }

        using var other = new Database();
        using (var machine = other.Open())
        {
            NumberedLog.ApplyUpTo(machine, 250);
            await machine.CompactAsync();
            await machine.ApplySnapshotFromFileAsync(metadata, snapshot);
            Assert.Equal(end, NumberedLog.AssertIsWhole(machine));
        }

        using var reopened = other.Open();
        Assert.Equal(end, NumberedLog.AssertIsWhole(reopened));
    }

    /// <summary>At least three runs that all have most of the keys; answers the last index.</summary>
    private ulong WriteRuns()
    {
        using var machine = _database.Open(Stepped, Seams);
        while (machine.GetStatistics().Runs.Count < 3)
        {
            NumberedLog.ApplyUpTo(machine, machine.LastApplied.Index + 100);
            _steps.Run();
        }

        return machine.LastApplied.Index;
    }

    private static byte[] Key(string prefix, int number) => Encoding.ASCII.GetBytes($"{prefix}-{number:D4}");

    private static void Put(LsmStateMachine machine, string prefix, int count)
    {
        var results = new ApplyResult[1];
        for (var i = 0; i < count; i++)
            machine.ApplyChunk(
                [new ApplyEntry(machine.LastApplied.Index + 1, 1, Command.Insert(Key(prefix, i), new byte[2000]))],
                results);
    }
}
