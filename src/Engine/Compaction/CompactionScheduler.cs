using Varve.Commit;
using Varve.LiveKeys;
using Varve.Runtime;
using Varve.Tables;
using Varve.Versions;

namespace Varve.Compaction;

/// <summary>
/// Flushes sealed memtables and compacts runs, on one background thread. A flush that comes due during a compaction is
/// done in the middle of it: they touch different ends of the version. The more runs there are beyond what they should
/// be, the more bytes a compaction merges for every byte flushed, so that neither starves the other; what that leaves
/// to flushes, appliers are paced by.
/// <para>
/// The runs that such flushes make are compacted in the midst of it too, for a large merge takes minutes, and until
/// then every read would meet all of them. After each it merges as many bytes itself.
/// </para>
/// </summary>
internal sealed class CompactionScheduler
{
    private const double ShareMax = 4;
    private readonly EngineContext _engine;
    private readonly VersionSet _versions;
    private readonly FlushProgress _progress;
    private readonly FlushCompletion _completion;
    private readonly WriteThrottle _throttle;
    private readonly Flusher _flusher;
    private readonly MergeJob _compactor;
    private Run? _newestInput;   // of the innermost compaction in progress
    private long _owed;          // bytes that it has to merge before there may be another in its midst
    private long _credit;

    public CompactionScheduler(
        EngineContext engine, VersionSet versions, WalSyncer syncer, LiveKeyCounter liveKeys, LeaseHorizon horizon,
        FlushCompletion completion, FlushProgress progress, WriteThrottle throttle)
    {
        _engine = engine;
        _versions = versions;
        _progress = progress;
        _completion = completion;
        _throttle = throttle;
        _flusher = new Flusher(engine, versions, syncer, liveKeys, completion);
        _compactor = new MergeJob(engine, versions, horizon, WorkBetween);
    }

    /// <summary>
    /// One round of the background thread: until there is nothing to do, or something else is asked for. Appliers at
    /// full speed can see to it that there always is.
    /// </summary>
    public void Round(Func<bool> isAsked) => Attempt(() =>
    {
        while (!_engine.State.IsStopping && (TryCompact() || TryFlush()) && !isAsked())
        {
            // The first, for otherwise appliers at full speed would leave no time for it; it flushes in its midst.
        }
    });

    /// <summary>Flushes what is sealed and merges everything into one run; on the background thread.</summary>
    public void CompactEverything() => Attempt(() =>
    {
        FlushSealed();

        // More runs than a merge takes are merged by parts. Not until there is one: flushes may go on.
        for (var runs = _versions.Current.Runs.Length; ; runs -= CompactionPicker.RunsAtOnceMax - 1)
            if (!TryCompact(version => CompactionPicker.PickAll(version.Runs))
                || runs <= CompactionPicker.RunsAtOnceMax)
                break;

        _versions.Spares.Clear();
    });

    /// <summary>Flushes all that is sealed by now; on the background thread.</summary>
    public void FlushSealed()
    {
        for (var left = _versions.Current.Memtables.Length - 1; left > 0 && TryFlush(); left--)
        {
            // Not what is sealed meanwhile: appliers at full speed can be faster.
        }
    }

    /// <summary>Does what is worth it when nothing else is to be done; on the background thread.</summary>
    public void Settle()
    {
        while (_versions.Current.Memtables.Length == 1
            && TryCompact(version => CompactionPicker.PickIdle(version.Runs)))
        {
            // More runs than a merge takes are merged by parts; not once there is something else to do again.
        }

        _versions.Spares.Clear();
    }

    private void Attempt(Action work) =>
        _progress.Attempt(work, ReleaseAtShortage, () => _versions.Reclaimer.Collect());

    private void ReleaseAtShortage()
    {
        _versions.Spares.Clear();
        _completion.TrimHistory();
    }

    private bool TryCompact() => TryCompact(version => CompactionPicker.Pick(version.Runs, _engine.Options));

    private bool TryCompact(Func<DbVersion, CompactionChoice> pick)
    {
        var version = _versions.AcquireCurrent();
        var (outer, owed) = (_newestInput, 0L);
        try
        {
            var choice = pick(version);
            if (choice.Count == 0) return false;
            if (outer is null) _credit = 0;
            foreach (var run in version.Runs.AsSpan(choice.First, choice.Count)) owed += run.Bytes;
            (_newestInput, _owed) = (version.Runs[choice.First], 0);
            return _compactor.Compact(version, choice);
        }
        finally
        {
            (_newestInput, _owed) = (outer, owed);
            version.Release();
            _versions.Reclaimer.Collect();
        }
    }

    /// <summary>
    /// Flushes the oldest sealed memtable; false when there is none, or it is not due. All of it is judged by one
    /// version, which is acquired first: a reset or an install may replace the current one between any two looks at it.
    /// </summary>
    private bool TryFlush(Func<DbVersion, bool>? isDue = null)
    {
        if (_engine.State.IsStopping) return false;
        var version = _versions.AcquireCurrent();
        try
        {
            if (version.Memtables is not [_, .., var memtable] || isDue?.Invoke(version) == false) return false;
            if (_flusher.Flush(version, memtable))
                _throttle.Flushed(memtable.Segment.End, areMoreWaiting: _versions.Current.Memtables.Length > 1);
        }
        finally
        {
            version.Release();
        }

        _versions.Reclaimer.Collect();
        _progress.WakeWaiters();
        return true;
    }

    /// <summary>
    /// In the midst of a compaction: flushes what is due and can be afforded, and compacts the runs above the
    /// compaction's inputs.
    /// </summary>
    private void WorkBetween(long bytesMerged)
    {
        FlushBetween(bytesMerged);
        _owed -= bytesMerged;
        if (_owed <= 0) TryCompact(version => CompactionPicker.PickAbove(version.Runs, _newestInput!, _engine.Options));
    }

    private void FlushBetween(long bytesMerged)
    {
        _credit += bytesMerged;
        while (TryFlush(IsAffordable)) _credit = 0;
    }

    /// <summary>Whether enough bytes were merged for a flush, by how many runs there are too many.</summary>
    private bool IsAffordable(DbVersion version)
    {
        var share = Math.Clamp(version.Runs.Length - 1 - _engine.Options.UpperRunsMax, 0, ShareMax);
        return _credit >= (long)(share * version.Memtables[^1].Segment.End);
    }
}
