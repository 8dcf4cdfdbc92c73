using Varve.Background;
using Varve.Tests.Schedules.Control;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// A reader of changes begins and catches up at every point of two applies and a rotation between them: it gets every
/// change once and in order, those that it then waits for too.
/// </summary>
internal sealed class ChangesScenario : Scenario
{
    private const int PerChunk = 2;

    private readonly SimFs _disk = new() { Mappings = SimMappings.Copies };
    private readonly ManualScheduler _steps = new();
    private LsmStateMachine _machine = null!;
    private IAsyncEnumerator<Change> _changes = null!;
    private ValueTask<bool> _next;
    private ulong _seen;

    public override void Prepare(Scheduler scheduler)
    {
        _machine = LsmStateMachine.Open("/db", new EngineOptions
        {
            MemtableBytes = 64 << 10,
            HistoryEntries = 1024,
            TimeProvider = new StoppedClock(),
        }, new EngineSeams(_disk, _steps));
        Apply();
        _machine.Get([1]); // makes the thread's slot
        Threads = [Read, ApplyAndRotate];
    }

    public override void Finish(Scheduler scheduler)
    {
        var applied = _machine.LastApplied.Index;
        _steps.Run(); // the dispatcher
        while (_seen < applied)
        {
            Expect(
                SpinWait.SpinUntil(() => _next.IsCompleted, TimeSpan.FromSeconds(10)),
                $"a reader that has seen {_seen} of {applied} changes sleeps");
            Take();
        }

        _machine.CloseStorage();
        Expect(
            SpinWait.SpinUntil(() => _next.IsCompleted, TimeSpan.FromSeconds(10)), "a close leaves a reader waiting");
        Expect(_disk.LiveMappings == 0, $"{_disk.LiveMappings} mappings were never let go");
    }

    public override void Dispose()
    {
        _disk.Dispose();
        base.Dispose();
    }

    private void Apply()
    {
        var first = _machine.LastApplied.Index + 1;
        ApplyEntry[] chunk = [.. Enumerable.Range(0, PerChunk).Select(i => new ApplyEntry(
            first + (ulong)i, 1, Command.Insert(new[] { (byte)(first + (ulong)i) }, "v"u8.ToArray())))];
        _machine.ApplyChunk(chunk, new ApplyResult[PerChunk]);
    }

    private void ApplyAndRotate()
    {
        Apply();
        _ = _machine.CompactAsync(); // never stepped: what is asked for is the next memtable
        Apply();
    }

    /// <summary>Up to the first step that waits.</summary>
    private void Read()
    {
        _changes = _machine.ReadChangesAsync(1).GetAsyncEnumerator();
        _next = _changes.MoveNextAsync();
        while (_next.IsCompleted) Take();
    }

    private void Take()
    {
        Expect(_next.Result, "the changes ended");
        var index = _changes.Current.Index;
        Expect(index == _seen + 1, $"change {index} follows {_seen}");
        Expect(index <= _machine.LastApplied.Index, "a change came before its entry was published");
        _seen = index;
        _next = _changes.MoveNextAsync();
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddSeconds(1);
    }
}
