using Microsoft.Extensions.Time.Testing;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Compaction;

/// <summary>An idle engine releases memory and files that it does not need.</summary>
public sealed class IdleTests : IDisposable
{
    private readonly Database _database = new();
    private readonly FakeTimeProvider _clock = new();

    public void Dispose() => _database.Dispose();

    private EngineOptions Options =>
        Database.Small with { TimeProvider = _clock, IdleAfter = TimeSpan.FromMinutes(1), UpperRunsMax = 32 };

    [Fact]
    public void IdleMergesRunsAndReleasesFiles()
    {
        using var machine = Filled(Options);
        _clock.Advance(TimeSpan.FromMinutes(1)); // not yet: it has seen the log grow
        _clock.Advance(TimeSpan.FromMinutes(1));
        Waiting.Until(() => machine.GetStatistics().Runs.Count == 1 && Segments <= 2);
        Waiting.Until(() => _database.Files(FileNames.TableSuffix).Length == machine.GetStatistics().Runs[0].Tables);
        NumberedLog.AssertIsWhole(machine);
        NumberedLog.ApplyUpTo(machine, 12_000);
        NumberedLog.AssertIsWhole(machine);
    }

    [Fact]
    public async Task SettledDatabaseKeepsNoMoreFiles()
    {
        using var machine = Filled(Options);
        await machine.CompactAsync();
        Assert.InRange(Segments, 1, 2);
        Assert.Single(machine.GetStatistics().Runs);
        NumberedLog.ApplyUpTo(machine, 12_000);
        NumberedLog.AssertIsWhole(machine);
    }

    [Fact]
    public async Task IdleKeepsHistory()
    {
        using var machine = Filled(Options with { HistoryEntries = 100_000 });
        _clock.Advance(TimeSpan.FromMinutes(1));
        _clock.Advance(TimeSpan.FromMinutes(1));
        Waiting.Until(() => machine.GetStatistics().Runs.Count == 1);
        await machine.CompactAsync();
        Assert.Equal(32, (await machine.GenerateSnapshotDataAsync(
            Path.Combine(_database.Root, "snapshot"), NumberedLog.Id(7_000))).Length);
    }

    [Fact]
    public void EngineThatAppliesIsNotIdle()
    {
        using var machine = Filled(Options);
        for (ulong minute = 1; minute <= 5; minute++)
        {
            NumberedLog.ApplyUpTo(machine, 8_000 + minute);
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.True(machine.GetStatistics().Runs.Count > 1);
    }

    private int Segments => _database.Files(FileNames.SegmentSuffix).Length;

    private LsmStateMachine Filled(EngineOptions options)
    {
        var machine = _database.Open(options);
        NumberedLog.ApplyUpTo(machine, 8_000);
        Waiting.Until(() => machine.GetStatistics() is { Memtables: 1, Runs.Count: > 1 });
        return machine;
    }
}
