using Varve.Commit;
using Varve.LiveKeys;
using Varve.Runtime;
using Varve.Storage;
using Varve.Versions;

namespace Varve.Compaction;

/// <summary>
/// Decides what the background thread does next: flush a memtable, or compact runs, in which order and in which share.
/// <para>
/// The problem: one thread flushes and compacts. A large merge takes minutes. If flushes waited for its end, appliers
/// would stop; if compactions did, every read would meet a run for each flush (decision 0024).
/// </para>
/// <list type="number">
/// <item>Compactions are <see cref="MergeJob"/>s on a stack. A job's inputs are older than those of all jobs above it,
/// and flushes add newer runs only: no two touch the same runs, whatever the order of their commits.</item>
/// <item>The top job works a step at a time. After each step come the flushes that merged bytes have paid for, then
/// perhaps a job for the runs above the top one's inputs. A finished job is committed and popped.</item>
/// <item>Flushes pay: each run over the target raises the bytes to merge for every flushed byte
/// (<c>MergeBytesPerFlushedByte</c>), up to four. So neither starves the other; appliers are slowed down to what that
/// leaves to flushes (<see cref="WriteThrottle"/>).</item>
/// <item>A job that another nested in merges as many bytes as that one had inputs before another may nest
/// (<see cref="MergeJob.MergeBeforeNested"/>). Without this, appliers at full speed keep a large merge from ever going
/// on.</item>
/// </list>
/// <para>
/// The obvious design calls whatever is due from within the merge. It came first, and lost: the callback of a merge
/// called the scheduler, which called another merge, and the state of each was in local variables of stack frames
/// below. With a stack of jobs no method is entered twice.
/// </para>
/// <para>One thread at a time: the background's, or the one that closes the engine once that has ended.</para>
/// </summary>
internal sealed class CompactionScheduler
{
    /// <summary>Bytes that a job merges between two looks at what else is due.</summary>
    private const long BytesInStep = 128 << 10;

    private const double MergeBytesPerFlushedByteMax = 4;

    private readonly EngineContext _engine;
    private readonly VersionSet _versions;
    private readonly LeaseHorizon _horizon;
    private readonly FlushProgress _progress;
    private readonly FlushCompletion _completion;
    private readonly WriteThrottle _throttle;
    private readonly Flusher _flusher;
    private readonly DiskWatch _disk;
    private readonly Stack<MergeJob> _jobs = new();
    private long _flushCredit; // bytes merged since the last flush, by whichever job

    public CompactionScheduler(
        EngineContext engine, VersionSet versions, WalSyncer syncer, LiveKeyCounter liveKeys, LeaseHorizon horizon,
        FlushCompletion completion, FlushProgress progress, WriteThrottle throttle)
    {
        _engine = engine;
        _versions = versions;
        _horizon = horizon;
        _progress = progress;
        _completion = completion;
        _throttle = throttle;
        _flusher = new Flusher(engine, versions, syncer, liveKeys, completion);
        _disk = new DiskWatch(engine, versions);
    }

    /// <summary>
    /// One round of the background thread: compacts and flushes until nothing is due, or until a request waits. With
    /// appliers at full speed there is always something due.
    /// </summary>
    public void Round(Func<bool> isAsked) => Attempt(() =>
    {
        while (!_engine.State.IsStopping && (TryCompact() || TryFlush("due")) && !isAsked())
        {
            // Compactions first: appliers at full speed would leave no time for them. They flush between their steps.
        }
    });

    /// <summary>Flushes the sealed memtables and merges all runs into one. On the background thread.</summary>
    public void CompactEverything() => Attempt(() =>
    {
        FlushSealed();

        // More runs than one merge takes need several merges. Counted from the start: flushes go on meanwhile, and the
        // loop must end.
        for (var runs = _versions.Current.Runs.Length; ; runs -= CompactionPicker.RunsAtOnceMax - 1)
            if (!TryCompact(version => CompactionPicker.PickAll(version.Runs), "requested")
                || runs <= CompactionPicker.RunsAtOnceMax)
                break;

        _versions.RecycledFiles.Release();
    });

    /// <summary>Flushes the memtables that are sealed by now. On the background thread.</summary>
    public void FlushSealed()
    {
        for (var left = _versions.Current.Memtables.Length - 1; left > 0 && TryFlush("requested"); left--)
        {
            // Not those sealed meanwhile: appliers may seal faster than this loop flushes.
        }
    }

    /// <summary>Merges the runs of an idle database, if it saves space. On the background thread.</summary>
    public void CompactIdle()
    {
        while (_versions.Current.Memtables.Length == 1
            && TryCompact(version => CompactionPicker.PickIdle(version.Runs), "idle"))
        {
            // More runs than one merge takes need several merges. Ends once a memtable is sealed.
        }

        _versions.RecycledFiles.Release();
    }

    /// <summary>
    /// Does work, and tells the callers that wait for flushes how it ended. A shortage first releases what is kept for
    /// speed; the waiters wake last, when all that the work retired is freed.
    /// </summary>
    private void Attempt(Action work)
    {
        _progress.Begin();
        try
        {
            work();
            _progress.RecordSuccess();
        }
        catch (IOException e) when (Shortage.IsMet(e))
        {
            _versions.RecycledFiles.Release();
            _completion.DropOldHistory();
            if (!_progress.IsBlocked) _engine.Log.Post(logger => Log.BackgroundIsShort(logger, e));
            _progress.RecordShortage(e);
            throw;
        }
        finally
        {
            _versions.Reclaimer.FreeRetired();
            _progress.WakeWaiters();
            _disk.Look();
        }
    }

    private bool TryCompact() => TryCompact(version => CompactionPicker.Pick(version.Runs, _engine.Options), "due");

    /// <summary>
    /// Carries out the compaction that is picked, and all work that comes due meanwhile; false if none was picked, or
    /// if it became obsolete.
    /// </summary>
    private bool TryCompact(Func<DbVersion, CompactionChoice> pick, string reason)
    {
        _flushCredit = 0;
        try
        {
            return TryPush(pick, reason) && RunJobs();
        }
        catch (Exception e)
        {
            foreach (var job in _jobs) job.Fail(e);
            throw;
        }
        finally
        {
            while (_jobs.TryPop(out var failed)) failed.Dispose();
            _versions.Reclaimer.FreeRetired();
        }
    }

    /// <summary>Picks by the current version and pushes a job for the choice; false if no compaction is due.</summary>
    private bool TryPush(Func<DbVersion, CompactionChoice> pick, string reason)
    {
        var version = _versions.AcquireCurrent();
        try
        {
            var choice = pick(version);
            if (choice.Kind == CompactionKind.None) return false;
            _jobs.Push(new MergeJob(_engine, _versions, _horizon, version, choice, reason));
            return true;
        }
        finally
        {
            version.Release();
        }
    }

    /// <summary>Works until the stack is empty. Returns true if its first job was committed.</summary>
    private bool RunJobs()
    {
        var isCommitted = false;
        while (_jobs.TryPeek(out var job))
        {
            var isMore = job.Step(BytesInStep, out var merged);
            if (isMore && !job.IsObsolete)
            {
                WorkBetweenSteps(job, merged);
                continue;
            }

            isCommitted = !isMore && job.Commit();
            Pop();
        }

        return isCommitted;
    }

    /// <summary>
    /// Flushes the memtables that merged bytes have paid for, then nests a job if the top one has merged enough.
    /// </summary>
    private void WorkBetweenSteps(MergeJob job, long merged)
    {
        _flushCredit += merged;
        while (TryFlush("nested", onlyIfPaid: true)) _flushCredit = 0;
        job.MergeBeforeNested -= merged;
        if (job.MergeBeforeNested > 0) return;
        if (!TryPush(version => CompactionPicker.PickAbove(version.Runs, job.NewestInput, _engine.Options), "nested"))
            _versions.Reclaimer.FreeRetired();
    }

    private void Pop()
    {
        var ended = _jobs.Pop();
        ended.Dispose();
        if (_jobs.TryPeek(out var outer)) outer.MergeBeforeNested = ended.InputBytes;
        _versions.Reclaimer.FreeRetired();
    }

    /// <summary>
    /// Flushes the oldest sealed memtable; false if there is none, or if it is not paid for. All decisions are by one
    /// version, which is acquired first: a reset or an install may replace the current one between any two reads of it.
    /// </summary>
    private bool TryFlush(string reason, bool onlyIfPaid = false)
    {
        if (_engine.State.IsStopping) return false;
        var version = _versions.AcquireCurrent();
        try
        {
            if (version.Memtables is not [_, .., var memtable] || (onlyIfPaid && !IsFlushPaid(version))) return false;
            if (_flusher.Flush(version, memtable, reason))
                _throttle.Flushed(memtable.Segment.End, areMoreWaiting: _versions.Current.Memtables.Length > 1);
        }
        finally
        {
            version.Release();
        }

        _versions.Reclaimer.FreeRetired();
        _progress.WakeWaiters();
        return true;
    }

    /// <summary>Each run over the target raises the merge bytes that a flushed byte costs.</summary>
    private bool IsFlushPaid(DbVersion version)
    {
        var mergeBytesPerFlushedByte =
            Math.Clamp(version.Runs.Length - 1 - _engine.Options.UpperRunsMax, 0, MergeBytesPerFlushedByteMax);
        return _flushCredit >= (long)(mergeBytesPerFlushedByte * version.Memtables[^1].Segment.End);
    }
}
