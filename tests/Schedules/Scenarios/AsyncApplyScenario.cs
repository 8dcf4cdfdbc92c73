using Varve.Background;
using Varve.Tests.Schedules.Control;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// One thread applies three chunks without awaiting; others use the gate, cancel the second chunk, and close the
/// engine. Every task ends, and in the order of the calls: what was applied is a beginning of the log, and the
/// directory has just that.
/// </summary>
internal sealed class AsyncApplyScenario : Scenario
{
    private const string Directory = "/db";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly SimFs _disk = new();
    private readonly CancellationTokenSource _cancel = new();
    private readonly List<Task> _applies = [];
    private LsmStateMachine _machine = null!;

    private static EngineOptions Options => new()
    {
        MemtableBytes = 64 << 10,
        HistoryEntries = 0,
        LeaseClock = LeaseClock.Log,
        TimeProvider = new StoppedClock(),
    };

    public override void Prepare(Scheduler scheduler)
    {
        _machine = LsmStateMachine.Open(Directory, Options, new EngineSeams(new SharedDisk(_disk)));
        Threads = [Apply, Disturb];
    }

    public override void Finish(Scheduler scheduler)
    {
        _machine.CloseStorage();
        // The pool completes tasks. It takes none of the engine's locks, so that no schedule knows of it.
        var all = Task.WhenAll(_applies).ContinueWith(_ => { }, TaskScheduler.Default);
        Expect(all.Wait(Patience), "an apply never ended");
        var applied = _applies.TakeWhile(apply => apply.IsCompletedSuccessfully).Count();
        for (var i = applied; i < _applies.Count; i++) ExpectRefused(i);
        using var again = LsmStateMachine.Open(
            Directory, Options, new EngineSeams(new SharedDisk(_disk), new ManualScheduler()));
        Expect(again.LastApplied.Index == (ulong)applied, $"{again.LastApplied.Index} were applied, not {applied}");
        Expect(again.Count == applied, "an applied key is missing");
    }

    public override void Dispose()
    {
        base.Dispose();
        _cancel.Dispose();
        _disk.Dispose();
    }

    private void Apply()
    {
        try
        {
            for (byte i = 1; i <= 3; i++)
            {
                ApplyEntry[] chunk = [new ApplyEntry(i, 1, Command.Insert(new byte[] { i }, new byte[] { i }), i)];
                _applies.Add(_machine.ApplyChunkAsync(chunk, i == 2 ? _cancel.Token : default).AsTask());
            }
        }
        catch (Exception refusal) when (refusal is ObjectDisposedException or OperationCanceledException
            or LogGapException)
        {
            _applies.Add(Task.FromException(refusal));
        }
    }

    private void Disturb()
    {
        try
        {
            _ = _machine.CompactAsync(); // rotates under the gate
        }
        finally
        {
            _cancel.Cancel();
            _machine.CloseStorage();
        }
    }

    private void ExpectRefused(int apply)
    {
        var task = _applies[apply];
        Expect(!task.IsCompletedSuccessfully, "a chunk was applied behind one that was not");
        var failure = task.IsCanceled ? new OperationCanceledException() : task.Exception!.InnerException;
        Expect(
            failure is ObjectDisposedException || (apply == 1 && failure is OperationCanceledException)
                || (apply == 2 && failure is LogGapException),
            $"apply {apply} failed with {failure?.Message}");
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddSeconds(1);
    }
}
