using Microsoft.Extensions.Time.Testing;

namespace Varve.Tests.Conformance.Traces;

/// <summary>
/// Plays a trace on a machine and on the model and compares every answer. Where the contract leaves the machine a
/// choice (outcomes and terms from before an install, cuts behind a reopening) it takes either answer, never a wrong
/// one.
/// </summary>
internal sealed partial class TraceRun : IDisposable
{
    private readonly IMachineFactory _subjects;
    private readonly DictionaryMachines _models = new();
    private readonly EngineOptions _options;
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly string _root = Directory.CreateTempSubdirectory("varve-trace-").FullName;

    private IStateMachine _subject;
    private IStateMachine _model;

    /// <summary>Every entry applied since the last reset, and its outcome.</summary>
    private readonly SortedDictionary<ulong, (ApplyEntry Entry, ApplyStatus Status)> _applied = [];

    private DateTimeOffset _latest;
    private ulong _logTime = 1_000;
    private ulong _outcomeFloor;
    private ulong _cutFloor;
    private ulong _termFloor;
    private int _names;

    public TraceRun(IMachineFactory subjects, EngineOptions options)
    {
        _subjects = subjects;
        _options = options with { TimeProvider = _clock };
        _latest = _clock.GetUtcNow();
        _subject = subjects.Open(Path.Combine(_root, "db"), _options);
        _model = _models.Open("db", _options);
    }

    public static async Task PlayAsync(IMachineFactory subjects, EngineOptions options, Trace trace)
    {
        using var run = new TraceRun(subjects, options);
        for (var i = 0; i < trace.Operations.Count; i++)
        {
            try
            {
                await run.StepAsync(trace.Operations[i]);
                Same(run._subject, run._model);
            }
            catch (Exception difference)
            {
                throw new InvalidOperationException(
                    $"Step {i} of {trace.Operations.Count}, {trace.Operations[i]}: {difference.Message}", difference);
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
            case Step.Read: TraceReads.Compare(_subject, _model, operation.A); break;
            case Step.Scan: TraceReads.CompareScans(_subject, _model, operation); break;
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
        _logTime += step;
        _clock.Advance(TimeSpan.FromMilliseconds(step));
        SeeTime();
    }

    /// <summary>Both machines look at the clock, so that both know the latest time.</summary>
    private void SeeTime()
    {
        if (_clock.GetUtcNow() > _latest) _latest = _clock.GetUtcNow();
        Assert.Equal(_model.Get([1]), _subject.Get([1]));
    }

    private void StepBack(int amount)
    {
        _clock.AdjustTime(_clock.GetUtcNow() - TimeSpan.FromMilliseconds(amount % 100_000));
        _logTime -= Math.Min(_logTime - 1, (ulong)(amount % 5_000));
        SeeTime();
    }

    /// <summary>A new instance has not seen the later time of an earlier one; this call shows it.</summary>
    private void CatchUp()
    {
        if (_clock.GetUtcNow() < _latest) _clock.AdjustTime(_latest);
    }

    private async Task ReopenAsync()
    {
        CatchUp();
        _subject.SaveHardState();
        await _subject.DisposeAsync();
        await _model.DisposeAsync();
        _subject = _subjects.Open(Path.Combine(_root, "db"), _options);
        _model = _models.Open("db", _options);
        _cutFloor = _model.LastApplied.Index;
    }

    private async Task StopStartAsync()
    {
        _subject.Stop();
        Assert.False(_subject.IsRunning);
        Assert.Throws<InvalidOperationException>(() => _subject.Get([1]));
        await _subject.StartAsync();
        Assert.True(_subject.IsRunning);
    }

    private async Task FlushAsync(int how)
    {
        switch (how % 3)
        {
            case 0: _subject.Flush(); break;
            case 1: await _subject.FlushAsync(); break;
            default: _subject.SaveHardState(); break;
        }
    }

    private async Task CompactAsync()
    {
        if (_subject is LsmStateMachine engine) await engine.CompactAsync();
    }

    private async Task ResetAsync()
    {
        CatchUp();
        await _subject.ResetAsync();
        await _model.ResetAsync();
        _applied.Clear();
        (_outcomeFloor, _cutFloor, _termFloor) = (0, 0, 0);
    }

    private async Task CleanupAsync()
    {
        var expected =
            (await _model.LeaseBackgroundCleanupAsync()).Select(key => Convert.ToHexString(key.Span)).ToHashSet();
        var actual =
            (await _subject.LeaseBackgroundCleanupAsync()).Select(key => Convert.ToHexString(key.Span)).ToList();
        Assert.Equal(actual.Count, actual.Distinct().Count());
        // All of it, and each once.
        Assert.Equal(expected.Order(StringComparer.Ordinal), actual.Order(StringComparer.Ordinal));
    }

    private void MovePosition(int ahead, int how)
    {
        var (index, term) = _model.LastApplied;
        var to = new LogId(index + (ulong)(ahead % 4), term);
        _model.UpdateLastApplied(to);
        if (how % 2 == 0)
            _subject.UpdateLastApplied(to);
        else
            _subject.PersistLastApplied(to);
        if (index > 0)
            Assert.Throws<ArgumentOutOfRangeException>(() => _subject.UpdateLastApplied(new LogId(index - 1, term)));
    }

    private void CompareTerm(int back)
    {
        var index = _model.LastApplied.Index + 2 - Math.Min(_model.LastApplied.Index + 1, (ulong)back % 64);
        var (expected, actual) = (_model.EntryTerm(index), _subject.EntryTerm(index));
        if (index < _termFloor && (actual is null || expected is null)) return;
        Assert.True(expected == actual, $"EntryTerm({index}): expected {expected}, got {actual}");
    }

    public void Dispose()
    {
        _subject.CloseStorage();
        _model.CloseStorage();
        Directory.Delete(_root, recursive: true);
    }
}
