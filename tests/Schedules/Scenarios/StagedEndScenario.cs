using Varve.Background;
using Varve.Tests.Schedules.Control;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Schedules.Scenarios;

internal enum StagedEnd
{
    /// <summary>The snapshot is disposed of.</summary>
    Dispose,

    /// <summary>Its install is refused, since later entries were applied, and it is disposed of.</summary>
    RefusedInstall,
}

/// <summary>
/// A staged snapshot ends while the engine is closed. When the close returns, another engine may have the directory and
/// give out the same file numbers, so the copies are gone by then, whoever deletes them.
/// </summary>
internal sealed class StagedEndScenario(StagedEnd end) : Scenario
{
    private const string Directory = "/db";
    private const string SnapshotDirectory = "/snapshot";

    private readonly SimFs _disk = new() { Mappings = SimMappings.Copies };
    private readonly ManualScheduler _steps = new();
    private LsmStateMachine _machine = null!;
    private StagedSnapshot _staged = null!;
    private int _tablesBefore;

    public override void Prepare(Scheduler scheduler)
    {
        SnapshotMetadata snapshot;
        using (var maker = Open("/maker"))
        {
            Apply(maker, 1);
            snapshot = maker.CreateSnapshotAsync(SnapshotDirectory).GetAwaiter().GetResult();
        }

        _machine = Open(Directory);
        _tablesBefore = Tables();
        _staged = _machine.StageSnapshotAsync(snapshot, SnapshotDirectory).GetAwaiter().GetResult();
        Expect(Tables() > _tablesBefore, "nothing was staged");
        if (end == StagedEnd.RefusedInstall)
            for (ulong index = 1; index <= 2; index++) Apply(_machine, index);
        Threads = end == StagedEnd.Dispose ? [_staged.Dispose, Close] : [Install, Close, _staged.Dispose];
    }

    public override void Finish(Scheduler scheduler)
    {
        Expect(_disk.LiveMappings == 0, $"{_disk.LiveMappings} mappings were never let go");
    }

    public override void Dispose()
    {
        _disk.Dispose();
        base.Dispose();
    }

    private void Install()
    {
        try
        {
            _staged.Install();
            Expect(false, "an older snapshot was installed");
        }
        catch (Exception refusal) when (refusal is SnapshotRejectedException or ObjectDisposedException)
        {
        }
    }

    private void Close()
    {
        _machine.CloseStorage();
        Expect(Tables() == _tablesBefore, "the close returned before the copies were deleted");
    }

    private int Tables() =>
        _disk.List(Directory).Count(name => name.EndsWith(".vtab", StringComparison.Ordinal));

    private LsmStateMachine Open(string directory) => LsmStateMachine.Open(directory, new EngineOptions
    {
        MemtableBytes = 64 << 10,
        HistoryEntries = 0,
        LeaseClock = LeaseClock.Log,
        TimeProvider = new StoppedClock(),
    }, new EngineSeams(_disk, _steps));

    private static void Apply(LsmStateMachine machine, ulong index) => machine.ApplyChunk(
        [new ApplyEntry(index, 1, Command.Insert("k"u8.ToArray(), "v"u8.ToArray()), index)], new ApplyResult[1]);

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddSeconds(1);
    }
}
