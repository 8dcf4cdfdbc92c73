using Varve.Background;
using Varve.Tests.Schedules.Control;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// A staged snapshot of a later entry of the same log is installed while one thread applies and another reads. Whatever
/// a view shows is the state at its index, with the mark of that index, and never older than the last view.
/// </summary>
internal sealed class StagedInstallScenario : Scenario
{
    private const string SnapshotDirectory = "/snapshot";
    private const int KeyCount = 3;
    private const ulong Before = 3;
    private const ulong SnapshotIndex = 9;

    private readonly SimFs _disk = new() { Mappings = SimMappings.Copies };
    private LsmStateMachine _machine = null!;
    private StagedSnapshot _staged = null!;

    public override void Prepare(Scheduler scheduler)
    {
        SnapshotMetadata snapshot;
        using (var maker = Open("/maker"))
        {
            Apply(maker, 1, SnapshotIndex);
            snapshot = maker.CreateSnapshotAsync(SnapshotDirectory).GetAwaiter().GetResult();
        }

        _machine = Open("/db");
        Apply(_machine, 1, Before);
        _staged = _machine.StageSnapshotAsync(snapshot, SnapshotDirectory).GetAwaiter().GetResult();
        Threads = [Read, Install, Apply];
    }

    public override void Finish(Scheduler scheduler)
    {
        Expect(Judge(SnapshotIndex) <= SnapshotIndex + 1, "an entry was applied that nobody gave");
        _machine.CloseStorage();
        Expect(_disk.LiveMappings == 0, $"{_disk.LiveMappings} mappings were never let go");
    }

    public override void Dispose()
    {
        _disk.Dispose();
        base.Dispose();
    }

    private void Install()
    {
        _staged.Install();
        Judge(SnapshotIndex);
    }

    /// <summary>Entries of the log, which the install may have brought already.</summary>
    private void Apply()
    {
        Apply(_machine, Before + 1, Before + 2);
        if (_machine.LastApplied.Index == SnapshotIndex) Apply(_machine, SnapshotIndex + 1, SnapshotIndex + 1);
    }

    private void Read()
    {
        var seen = Before;
        for (var i = 0; i < 2; i++) seen = Judge(seen);
    }

    private ulong Judge(ulong floor)
    {
        using var view = _machine.OpenView();
        Expect(view.Revision >= floor, $"a view is at {view.Revision}, after {floor}");
        var mark = new byte[64];
        // A chunk of entries that the install has brought moves the mark, and nothing else.
        Expect(
            view.ReadMark(mark) == 1 && (mark[0] == view.Revision || (view.Revision == SnapshotIndex
                && mark[0] is > (byte)Before and <= (byte)Before + 2)),
            $"a view at {view.Revision} has the mark {mark[0]}");
        var key = 0;
        foreach (var entry in view.ScanPrefix([]))
        {
            var index = view.Revision;
            while ((int)(index % KeyCount) != key) index--;
            Expect(
                key < KeyCount && entry.Key[0] == key && entry.Value[0] == index,
                "a scan met a row of another revision");
            key++;
        }

        Expect(key == KeyCount, "a scan lost a key");
        return view.Revision;
    }

    private LsmStateMachine Open(string directory) => LsmStateMachine.Open(directory, new EngineOptions
    {
        MemtableBytes = 64 << 10,
        HistoryEntries = 0,
        LeaseClock = LeaseClock.Log,
        TimeProvider = new StoppedClock(),
    }, new EngineSeams(_disk, new ManualScheduler()));

    /// <summary>Entry i puts i into key i % K, and moves the mark to i.</summary>
    private static void Apply(LsmStateMachine machine, ulong first, ulong last)
    {
        for (var index = first; index <= last; index++)
        {
            var command = Command.Insert(new[] { (byte)(index % KeyCount) }, new[] { (byte)index });
            machine.ApplyChunk([new ApplyEntry(index, 1, command, index)], new ApplyResult[1], [(byte)index]);
        }
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddSeconds(1);
    }
}
