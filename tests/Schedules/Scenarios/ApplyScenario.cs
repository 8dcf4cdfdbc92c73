using Varve.Background;
using Varve.Tests.Schedules.Control;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// A reader runs at every point of an apply: when an index is published, everything up to it is visible (I1) to a get,
/// a view and a scan. Or an applier runs at every point of a read and continues in the next memtable. These two threads
/// are all, so one preemption each covers everything.
/// </summary>
internal sealed class ApplyScenario(bool readsFirst) : Scenario
{
    private const int PerChunk = 2;

    private readonly SimFs _disk = new() { Mappings = SimMappings.Copies };
    private LsmStateMachine _machine = null!;

    public override void Prepare(Scheduler scheduler)
    {
        _machine = LsmStateMachine.Open("/db", new EngineOptions
        {
            MemtableBytes = 64 << 10,
            HistoryEntries = 0,
            TimeProvider = new StoppedClock(),
        }, new EngineSeams(_disk, new ManualScheduler()));
        Apply();
        Read(); // makes the thread's slot and its view's context
        Threads = readsFirst ? [Read, ApplyAndRotate] : [Apply, Read];
    }

    public override void Finish(Scheduler scheduler)
    {
        Read();
        _machine.CloseStorage();
        Expect(_disk.LiveMappings == 0, $"{_disk.LiveMappings} mappings were never let go");
    }

    public override void Dispose()
    {
        _disk.Dispose();
        base.Dispose();
    }

    /// <summary>Every entry puts a key of its own.</summary>
    private static byte[] KeyOf(ulong index) => [(byte)'k', (byte)index];

    private void Apply()
    {
        var first = _machine.LastApplied.Index + 1;
        ApplyEntry[] chunk = [.. Enumerable.Range(0, PerChunk).Select(
            i => new ApplyEntry(first + (ulong)i, 1, Command.Insert(KeyOf(first + (ulong)i), "v"u8.ToArray())))];
        _machine.ApplyChunk(chunk, new ApplyResult[PerChunk]);
    }

    private void ApplyAndRotate()
    {
        Apply();
        _ = _machine.CompactAsync(); // never stepped: what is asked for is the next memtable
        Apply();
    }

    private void Read()
    {
        var floor = _machine.LastApplied.Index;
        Expect(_machine.Get(KeyOf(floor)) is not null, "a get missed a key that was published");
        using var view = _machine.OpenView();
        Expect(view.Revision >= floor, "a view is older than what was published");
        Expect(view.TryGet(KeyOf(view.Revision), out _), "a view missed the entry that it is of");
        var entries = 0UL;
        foreach (var entry in view.ScanPrefix("k"u8))
            Expect(entry.Key.SequenceEqual(KeyOf(++entries)), "a scan met another key");
        Expect(entries == view.Revision, $"a scan of revision {view.Revision} met {entries} keys");
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddSeconds(1);
    }
}
