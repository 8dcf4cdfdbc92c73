using Varve.Background;
using Xunit;

namespace Varve.Tests.Simulation.Model;

/// <summary>
/// One machine of a world: an engine, its expected content, and a clock of its own that also goes backward. It has the
/// rules of lease time: the operations that move it, the time that a reopen may return to, and the exact reports of a
/// clean-up.
/// </summary>
internal sealed class ModelMachine : IDisposable
{
    private readonly string _directory;
    private ulong _applied; // the local time of the last entry: in the log, so an open does not go behind it
    private ulong _cleaned; // the largest deadline that was reported: nor behind that

    public ModelMachine(string directory, EngineOptions options, ModelState model)
    {
        _directory = directory;
        Model = model;
        Options = options with { TimeProvider = Clock };
        Engine = LsmStateMachine.Open(directory, Options, new EngineSeams(Scheduler: Steps));
    }

    public EngineOptions Options { get; }

    public LsmStateMachine Engine { get; private set; }

    public ModelState Model { get; }

    public ManualClock Clock { get; } = new();

    public ManualScheduler Steps { get; } = new();

    public ulong Index { get; set; }

    public ulong Term { get; set; } = 1;

    /// <summary>The mark of the outer log.</summary>
    public byte[] Mark { get; set; } = [];

    /// <summary>The latest entries and their outcomes.</summary>
    public List<(ApplyEntry Entry, bool Succeeded)> Recent { get; } = [];

    private bool IsLocal => Options.LeaseClock == LeaseClock.Local;

    /// <summary>Entries are about to be applied.</summary>
    public void SeeApply() => _applied = IsLocal ? Model.Time : 0;

    /// <summary>Advances the clock.</summary>
    public void Advance(ulong milliseconds)
    {
        Clock.NowMs += milliseconds;
        SeeTime();
    }

    /// <summary>
    /// The clock is set back while the engine is open: its time stands still until the clock has caught up.
    /// </summary>
    public void SetBack(ulong milliseconds)
    {
        Assert.Equal(Model.Count, Engine.Count); // now the engine knows how late it was
        Clock.NowMs -= milliseconds;
    }

    /// <summary>
    /// The clock is perhaps set back while the engine is closed: its time begins with what the log and the clean-ups
    /// say.
    /// </summary>
    public void Reopen(ulong setBack)
    {
        Engine.Dispose();
        Clock.NowMs -= setBack;
        Engine = LsmStateMachine.Open(_directory, Options, new EngineSeams(Scheduler: Steps));
        if (IsLocal) Model.Time = Math.Max(Clock.NowMs, Math.Max(_applied, _cleaned));
    }

    /// <summary>Every lease that has expired is reported once, if a clean-up comes in time for it.</summary>
    public void CleanUp()
    {
        var retention = (ulong)Options.ExpiredLeaseRetention.TotalMilliseconds;
        var expected = Model.TakeExpired(after: Model.Time - Math.Min(Model.Time, retention), out var latest);
        var actual = Engine.LeaseBackgroundCleanupAsync().GetAwaiter().GetResult().Select(key => key.ToArray());
        Assert.Equal(
            expected.Select(Convert.ToHexString), actual.Select(Convert.ToHexString).Order(StringComparer.Ordinal));
        _cleaned = Math.Max(_cleaned, latest);
    }

    public void Reset()
    {
        Engine.ResetAsync().GetAwaiter().GetResult();
        Model.Clear();
        if (!IsLocal) Model.Time = 0;
        (Index, Term, _applied, _cleaned, Mark) = (0, 1, 0, 0, []);
        Recent.Clear();
    }

    /// <summary>Takes over the state of another machine, but not its clock.</summary>
    public void Install(ModelMachine from, string snapshot)
    {
        var last = new LogId(from.Index, from.Term);
        var metadata = new SnapshotMetadata(
            last, from.Engine.GenerateSnapshotDataAsync(snapshot, last).GetAwaiter().GetResult());
        if (Index > from.Index) Reset();
        Engine.ApplySnapshotFromFileAsync(metadata, snapshot).GetAwaiter().GetResult();
        Model.CopyFrom(from.Model);
        if (!IsLocal) Model.Time = from.Model.Time;
        (Index, Term, _applied, _cleaned) =
            (from.Index, from.Term, 0, IsLocal ? Math.Min(from._cleaned, Model.Time) : from._cleaned);
        Mark = from.Mark;
        Recent.Clear();
    }

    public void Dispose() => Engine.Dispose();

    private void SeeTime()
    {
        if (IsLocal) Model.Time = Math.Max(Model.Time, Clock.NowMs);
    }
}
