using Varve.Background;
using Varve.Tests.Schedules.Control;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Schedules.Scenarios;

internal enum Replacement
{
    Reset,
    Install,
}

/// <summary>
/// The state is replaced while a memtable is flushed, runs are merged and expired leases are counted: the background,
/// stepped by a thread of the scenario, may find another state at any point. It drops the work in hand, the engine
/// continues, and the count of the new state covers that state alone.
/// </summary>
internal sealed class ReplaceScenario(Replacement replacement) : Scenario
{
    private const string Directory = "/db";
    private const string SnapshotDirectory = "/snapshot";
    private const ulong SnapshotIndex = 9;
    private const ulong OldTime = 1_000_000_000; // the log time of the state that goes: far ahead of the one that comes
    private const ulong LaterTime = OldTime + (2 * TtlSeconds * 1000);
    private const ulong NewTime = 1_000;
    private const ulong TtlSeconds = 10;

    private readonly SimFs _disk = new() { Mappings = SimMappings.Copies };
    private readonly ManualScheduler _steps = new();
    private LsmStateMachine _machine = null!;
    private SnapshotMetadata? _snapshot;

    public override void Prepare(Scheduler scheduler)
    {
        if (replacement == Replacement.Install) _snapshot = MakeSnapshot();
        _machine = Open(Directory, _steps);
        Apply(_machine, 1, OldTime, Command.Insert("a"u8.ToArray(), "1"u8.ToArray(), TtlSeconds));
        Apply(_machine, 2, LaterTime, Command.Insert("b"u8.ToArray(), "2"u8.ToArray(), TtlSeconds));
        Expect(
            _machine.LeaseBackgroundCleanupAsync().GetAwaiter().GetResult().Count == 1,
            "the expired lease was not reported");
        Compact(); // a table with a lease, and a time up to which leases are dropped: a merge moves the count to it
        Apply(_machine, 3, LaterTime, Command.Insert("c"u8.ToArray(), "3"u8.ToArray(), TtlSeconds));
        _ = _machine.CompactAsync(); // to be flushed and merged
        Apply(_machine, 4, LaterTime, Command.Insert("d"u8.ToArray(), "4"u8.ToArray()));
        Threads = [() => _steps.Run(), Replace];
    }

    public override void Finish(Scheduler scheduler)
    {
        _steps.Run();
        Judge("in the end");
        Compact();
        Judge("after a compaction");
        _machine.CloseStorage();
        Expect(_disk.LiveMappings == 0, $"{_disk.LiveMappings} mappings were never let go");
    }

    public override void Dispose()
    {
        _disk.Dispose();
        base.Dispose();
    }

    private LsmStateMachine Open(string directory, ManualScheduler steps) =>
        LsmStateMachine.Open(directory, new EngineOptions
        {
            MemtableBytes = 64 << 10,
            HistoryEntries = 0,
            LeaseClock = LeaseClock.Log,
            TimeProvider = new StoppedClock(),
        }, new EngineSeams(_disk, steps));

    /// <summary>
    /// One leased key at an index beyond what the other engine has, made by a machine whose log's time is long past.
    /// </summary>
    private SnapshotMetadata MakeSnapshot()
    {
        using var maker = Open("/maker", new ManualScheduler());
        for (ulong index = 1; index <= SnapshotIndex; index++)
            Apply(maker, index, NewTime, Command.Insert("z"u8.ToArray(), "9"u8.ToArray(), TtlSeconds));
        var last = new LogId(SnapshotIndex, 1);
        return new SnapshotMetadata(
            last, maker.GenerateSnapshotDataAsync(SnapshotDirectory, last).GetAwaiter().GetResult());
    }

    private void Replace()
    {
        if (_snapshot is { } snapshot)
            _machine.ApplySnapshotFromFileAsync(snapshot, SnapshotDirectory).GetAwaiter().GetResult();
        else _machine.ResetAsync().GetAwaiter().GetResult();
        Apply(
            _machine, _machine.LastApplied.Index + 1, NewTime,
            Command.Insert("new"u8.ToArray(), "v"u8.ToArray(), TtlSeconds));
        Judge("after the replacement");
    }

    private void Judge(string when)
    {
        Expect(
            _machine.GetStatistics().Fault is null, $"{when} the engine is faulted: {_machine.GetStatistics().Fault}");
        var expected = replacement == Replacement.Install ? 2 : 1;
        Expect(
            _machine.ScanPrefix([]).Entries.Count == expected,
            $"{when} a scan met {_machine.ScanPrefix([]).Entries.Count} keys, not {expected}");
        Expect(_machine.Count == expected, $"{when} {_machine.Count} keys are counted, not {expected}");
    }

    private void Compact()
    {
        var done = _machine.CompactAsync();
        _steps.Run();
        Expect(done.IsCompletedSuccessfully, "a compaction did not come to its end");
    }

    private static void Apply(LsmStateMachine machine, ulong index, ulong timeMs, Command command) =>
        machine.ApplyChunk([new ApplyEntry(index, 1, command, timeMs)], new ApplyResult[1]);

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddSeconds(1);
    }
}
