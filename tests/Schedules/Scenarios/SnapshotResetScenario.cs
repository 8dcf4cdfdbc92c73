using Varve.Background;
using Varve.Tests.Schedules.Control;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// A snapshot of the present state, whichever that is, while the state is reset and goes on. The snapshot has the state
/// of one index, before or after the reset.
/// </summary>
internal sealed class SnapshotResetScenario : Scenario
{
    private const string SnapshotPath = "/snapshot";

    private readonly SimFs _disk = new() { Mappings = SimMappings.Copies };
    private LsmStateMachine _machine = null!;

    public override void Prepare(Scheduler scheduler)
    {
        _machine = Open("/db");
        for (ulong index = 1; index <= 3; index++) Apply(index, term: 1);
        Threads = [MakeSnapshot, Reset];
    }

    public override void Finish(Scheduler scheduler) => _machine.CloseStorage();

    public override void Dispose()
    {
        _disk.Dispose();
        base.Dispose();
    }

    private void MakeSnapshot()
    {
        var made = _machine.CreateSnapshotAsync(SnapshotPath).GetAwaiter().GetResult();
        var last = made.LastIncluded;
        Expect(
            last == new LogId(3, 1) || last == default || last == new LogId(1, 2),
            $"the snapshot is at {last}, where the state never was");
        using var other = Open("/other");
        other.ApplySnapshotFromFileAsync(made, SnapshotPath).GetAwaiter().GetResult();
        Expect(other.Count == (long)last.Index, $"a snapshot at {last} has {other.Count} keys");
    }

    private void Reset()
    {
        _machine.ResetAsync().GetAwaiter().GetResult();
        Apply(1, term: 2);
    }

    private LsmStateMachine Open(string directory) => LsmStateMachine.Open(directory, new EngineOptions
    {
        MemtableBytes = 64 << 10,
        LeaseClock = LeaseClock.Log,
        TimeProvider = new StoppedClock(),
    }, new EngineSeams(_disk, new ManualScheduler()));

    private void Apply(ulong index, ulong term) => _machine.ApplyChunk(
        [new ApplyEntry(index, term, Command.Insert(new[] { (byte)index }, "v"u8.ToArray()), index)],
        new ApplyResult[1]);

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddSeconds(1);
    }
}
