using Varve.Background;
using Varve.Tests.Schedules.Control;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// Statistics are read while a memtable is flushed and the runs are merged. A reading that shows the run of a flush
/// counts the flush, and one that shows the merged run counts the merge.
/// </summary>
internal sealed class CountersScenario : Scenario
{
    private readonly SimFs _disk = new() { Mappings = SimMappings.Copies };
    private readonly ManualScheduler _steps = new();
    private LsmStateMachine _machine = null!;
    private EngineStatistics _before = null!;

    public override void Prepare(Scheduler scheduler)
    {
        _machine = LsmStateMachine.Open("/db", new EngineOptions
        {
            MemtableBytes = 64 << 10,
            HistoryEntries = 0,
            LeaseClock = LeaseClock.Log,
        }, new EngineSeams(_disk, _steps));
        Apply(1);
        var compaction = _machine.CompactAsync();
        _steps.Run();
        Expect(compaction.IsCompletedSuccessfully, "the first flush did not come to its end");
        Apply(2);
        _ = _machine.CompactAsync();
        _before = _machine.GetStatistics();
        Threads = [() => _steps.Run(), Read];
    }

    public override void Finish(Scheduler scheduler)
    {
        Read();
        Expect(_machine.GetStatistics().Runs is [{ Rows: 2 }], "the runs were not merged");
        _machine.CloseStorage();
        Expect(_disk.LiveMappings == 0, $"{_disk.LiveMappings} mappings were never let go");
    }

    public override void Dispose()
    {
        _disk.Dispose();
        base.Dispose();
    }

    private void Read()
    {
        var now = _machine.GetStatistics();
        var isMerged = now.Runs is [{ Rows: 2 }];
        if (now.Runs.Count == 2 || isMerged)
            Expect(now.Flushes > _before.Flushes, "a run is there, and its flush is not counted");
        if (isMerged)
            Expect(now.Compactions > _before.Compactions, "a merged run is there, and its merge is not counted");
    }

    private void Apply(ulong index) =>
        _machine.ApplyChunk(
            [new ApplyEntry(index, 1, Command.Insert(new[] { (byte)index }, new byte[] { 1 }), index)],
            new ApplyResult[1]);
}
