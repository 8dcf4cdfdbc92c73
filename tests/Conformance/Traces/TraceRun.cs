using Microsoft.Extensions.Time.Testing;

namespace Varve.Tests.Conformance.Traces;

/// <summary>
/// Plays a trace on a machine and on the model and compares every answer. Where the contract leaves the machine a choice
/// (outcomes and terms from before an install, cuts behind a reopening) it takes either answer, never a wrong one.
/// </summary>
internal sealed partial class TraceRun : IDisposable
{
    private readonly IMachineFactory subjects;
    private readonly DictionaryMachines models = new();
    private readonly EngineOptions options;
    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly string root = Directory.CreateTempSubdirectory("varve-trace-").FullName;

    private IStateMachine subject;
    private IStateMachine model;

    /// <summary>Every entry applied since the last reset, and its outcome.</summary>
    private readonly SortedDictionary<ulong, (ApplyEntry Entry, ApplyStatus Status)> applied = [];

    private DateTimeOffset latest;
    private ulong logTime = 1_000;
    private ulong outcomeFloor;
    private ulong cutFloor;
    private ulong termFloor;
    private int names;

    public TraceRun(IMachineFactory subjects, EngineOptions options)
    {
        this.subjects = subjects;
        this.options = options with { TimeProvider = clock };
        latest = clock.GetUtcNow();
        subject = subjects.Open(Path.Combine(root, "db"), this.options);
        model = models.Open("db", this.options);
    }

    public static async Task PlayAsync(IMachineFactory subjects, EngineOptions options, Trace trace)
    {
        using var run = new TraceRun(subjects, options);
        for (int i = 0; i < trace.Operations.Count; i++)
        {
            try
            {
                await run.StepAsync(trace.Operations[i]);
                Same(run.subject, run.model);
            }
            catch (Exception difference)
            {
                throw new InvalidOperationException($"Step {i} of {trace.Operations.Count}, {trace.Operations[i]}: {difference.Message}", difference);
            }
        }
    }

    private async Task StepAsync(Operation operation)
    {
        switch (operation.Step)
        {
            case Step.Apply: await ApplyAsync(operation); break;
            case Step.ApplyBad: await ApplyBadAsync(operation); break;
            case Step.Advance: Advance(operation.A); break;
            case Step.StepBack: StepBack(operation.A); break;
            case Step.Read: TraceReads.Compare(subject, model, operation.A); break;
            case Step.Scan: TraceReads.CompareScans(subject, model, operation); break;
            case Step.EntryTerm: CompareTerm(operation.A); break;
            case Step.Reopen: await ReopenAsync(); break;
            case Step.StopStart: await StopStartAsync(); break;
            case Step.Flush: await FlushAsync(operation.A); break;
            case Step.Compact: await CompactAsync(); break;
            case Step.Snapshot: await SnapshotAsync(operation.A, install: null); break;
            case Step.InstallSelf: await SnapshotAsync(operation.A % 2 == 0 ? 0 : operation.A, InstallSelfAsync); break;
            case Step.InstallOther: await SnapshotAsync(operation.A, InstallOtherAsync); break;
            case Step.Reset: await ResetAsync(); break;
            case Step.Cleanup: await CleanupAsync(); break;
            case Step.MovePosition: MovePosition(operation.A, operation.B); break;
            default: throw new ArgumentOutOfRangeException(nameof(operation));
        }
    }

    /// <summary>Everything that can be seen of the live state.</summary>
    private static void Same(IStateMachine subject, IStateMachine model)
    {
        Assert.Equal(model.LastApplied, subject.LastApplied);
        Assert.Equal(model.Count, subject.Count);
        TraceReads.SameScan(model.ScanPrefix([]), subject.ScanPrefix([]));
        Assert.Equal(model.SnapshotMetadata?.LastIncluded, subject.SnapshotMetadata?.LastIncluded);
    }

    private void Advance(int amount)
    {
        ulong step = (ulong)(amount % 5) switch { 0 => 1, 1 => 999, 2 => 1_000, 3 => 7_000, _ => 3_600_000 };
        logTime += step;
        clock.Advance(TimeSpan.FromMilliseconds(step));
        SeeTime();
    }

    /// <summary>Both machines look at the clock, so that both know the latest time.</summary>
    private void SeeTime()
    {
        if (clock.GetUtcNow() > latest)
            latest = clock.GetUtcNow();
        Assert.Equal(model.Get([1]), subject.Get([1]));
    }

    private void StepBack(int amount)
    {
        clock.AdjustTime(clock.GetUtcNow() - TimeSpan.FromMilliseconds(amount % 100_000));
        logTime -= Math.Min(logTime - 1, (ulong)(amount % 5_000));
        SeeTime();
    }

    /// <summary>A new instance knows nothing of a later time that an earlier one saw; let it see it.</summary>
    private void CatchUp()
    {
        if (clock.GetUtcNow() < latest)
            clock.AdjustTime(latest);
    }

    private async Task ReopenAsync()
    {
        CatchUp();
        subject.SaveHardState();
        await subject.DisposeAsync();
        await model.DisposeAsync();
        subject = subjects.Open(Path.Combine(root, "db"), options);
        model = models.Open("db", options);
        cutFloor = model.LastApplied.Index;
    }

    private async Task StopStartAsync()
    {
        subject.Stop();
        Assert.False(subject.IsRunning);
        Assert.Throws<InvalidOperationException>(() => subject.Get([1]));
        await subject.StartAsync();
        Assert.True(subject.IsRunning);
    }

    private async Task FlushAsync(int how)
    {
        switch (how % 3)
        {
            case 0: subject.Flush(); break;
            case 1: await subject.FlushAsync(); break;
            default: subject.SaveHardState(); break;
        }
    }

    private async Task CompactAsync()
    {
        if (subject is LsmStateMachine engine)
            await engine.CompactAsync();
    }

    private async Task ResetAsync()
    {
        CatchUp();
        await subject.ResetAsync();
        await model.ResetAsync();
        applied.Clear();
        (outcomeFloor, cutFloor, termFloor) = (0, 0, 0);
    }

    private async Task CleanupAsync()
    {
        var expected = (await model.LeaseBackgroundCleanupAsync()).Select(key => Convert.ToHexString(key.Span)).ToHashSet();
        var actual = (await subject.LeaseBackgroundCleanupAsync()).Select(key => Convert.ToHexString(key.Span)).ToList();
        Assert.Equal(actual.Count, actual.Distinct().Count());
        Assert.Equal(expected.Order(StringComparer.Ordinal), actual.Order(StringComparer.Ordinal)); // all of it, and each once
    }

    private void MovePosition(int ahead, int how)
    {
        var (index, term) = model.LastApplied;
        var to = new LogId(index + (ulong)(ahead % 4), term);
        model.UpdateLastApplied(to);
        if (how % 2 == 0)
            subject.UpdateLastApplied(to);
        else
            subject.PersistLastApplied(to);
        if (index > 0)
            Assert.Throws<ArgumentOutOfRangeException>(() => subject.UpdateLastApplied(new LogId(index - 1, term)));
    }

    private void CompareTerm(int back)
    {
        ulong index = model.LastApplied.Index + 2 - Math.Min(model.LastApplied.Index + 1, (ulong)back % 64);
        var (expected, actual) = (model.EntryTerm(index), subject.EntryTerm(index));
        if (index < termFloor && (actual is null || expected is null))
            return;
        Assert.True(expected == actual, $"EntryTerm({index}): expected {expected}, got {actual}");
    }

    public void Dispose()
    {
        subject.CloseStorage();
        model.CloseStorage();
        Directory.Delete(root, recursive: true);
    }
}
