using Varve.Runtime;
using Varve.Storage;
using Varve.Versions;

namespace Varve.Compaction;

/// <summary>
/// Flushes sealed memtables and compacts runs, on one background thread. A flush that comes due during a compaction is done in
/// the middle of it: they touch different ends of the version. The more runs there are beyond what they should be, the more bytes a
/// compaction merges for every byte flushed, so that neither starves the other; what that leaves to flushes, appliers are paced by.
/// <para>
/// The runs that such flushes make are compacted in the midst of it too, for a large merge takes minutes, and until then every read would
/// meet all of them. After each it merges as many bytes itself.
/// </para>
/// </summary>
internal sealed class TableJobs
{
    private const double ShareMax = 4;
    private readonly object _progress = new();
    private readonly VersionSet _versions;
    private readonly EngineOptions _options;
    private readonly ITableJobsHost _host;
    private readonly Flusher _flusher;
    private readonly Compactor _compactor;
    private Run? _newestInput;   // of the innermost compaction in progress
    private long _owed;          // bytes that it has to merge before there may be another in its midst
    private IOException? _blockedBy;
    private long _rounds;
    private long _failedRound;
    private long _credit;

    public TableJobs(VersionSet versions, EngineOptions options, EngineCounters counters, ITableJobsHost host)
    {
        _versions = versions;
        _options = options;
        _host = host;
        _flusher = new Flusher(versions, options, counters, host);
        _compactor = new Compactor(versions, options, counters, host, WorkBetween);
        Pacer = new Pacer();
    }

    /// <summary>How fast appliers may go.</summary>
    public Pacer Pacer { get; }

    /// <summary>True when the last attempt met a full disk.</summary>
    public bool IsBlocked => Volatile.Read(ref _blockedBy) is not null;

    /// <summary>One round of the background thread: until there is nothing to do, or something else is asked for. Appliers at full speed can see to it that there always is.</summary>
    public void Round(Func<bool> isAsked) => Attempt(() =>
    {
        while (!_host.IsStopping && (TryCompact() || TryFlush()) && !isAsked())
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
            if (!TryCompact(version => CompactionPicker.PickAll(version.Runs)) || runs <= CompactionPicker.RunsAtOnceMax) break;

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
        while (_versions.Current.Memtables.Length == 1 && TryCompact(version => CompactionPicker.PickIdle(version.Runs)))
        {
            // More runs than a merge takes are merged by parts; not once there is something else to do again.
        }

        _versions.Spares.Clear();
    }

    /// <summary>Waits until at most <paramref name="sealedMax"/> memtables wait for their flush, or there is no point in waiting.</summary>
    public void WaitForRoom(int sealedMax, Func<bool> isOver) => WaitFor(current => current.Memtables.Length - 1 <= sealedMax, isOver);

    /// <summary>Waits until a sealed memtable is flushed, or there is no point in waiting.</summary>
    public void WaitForFlush(Memtable memtable, Func<bool> isOver) => WaitFor(current => !current.Memtables.Contains(memtable), isOver);

    /// <summary>Waits for a little while, less if a flush ends before.</summary>
    public void WaitForProgress(TimeSpan most)
    {
        lock (_progress) Monitor.Wait(_progress, most);
    }

    public void WakeWaiters()
    {
        lock (_progress) Monitor.PulseAll(_progress);
    }

    /// <summary>Remembers whether there was no room, or no descriptor, for those who wait (<see cref="WaitFor"/>) and for another attempt a while later.</summary>
    private void Attempt(Action work)
    {
        lock (_progress) _rounds++;
        try
        {
            work();
            Volatile.Write(ref _blockedBy, null);
        }
        catch (IOException e) when (Shortage.IsMet(e))
        {
            _versions.Spares.Clear();
            _host.TrimHistory();
            lock (_progress)
            {
                Volatile.Write(ref _blockedBy, e);
                _failedRound = _rounds;
            }

            throw;
        }
        finally
        {
            _versions.Reclaimer.Collect();
            WakeWaiters();
        }
    }

    private void WaitFor(Func<Versions.Version, bool> isReached, Func<bool> isOver)
    {
        lock (_progress)
        {
            var round = _rounds;
            while (!isReached(_versions.Current) && !isOver())
            {
                // Only an attempt begun since says that there is still a shortage.
                if (_failedRound > round && Volatile.Read(ref _blockedBy) is { } shortage) throw Shortage.Again(shortage);
                if (!_host.TryStep()) Monitor.Wait(_progress, 100);
            }
        }
    }

    private bool TryCompact() => TryCompact(version => CompactionPicker.Pick(version.Runs, _options));

    private bool TryCompact(Func<Versions.Version, CompactionChoice> pick)
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
    /// Flushes the oldest sealed memtable; false when there is none, or it is not due. All of it is judged by one version, which is acquired
    /// first: a reset or an install may replace the current one between any two looks at it.
    /// </summary>
    private bool TryFlush(Func<Versions.Version, bool>? isDue = null)
    {
        if (_host.IsStopping) return false;
        var version = _versions.AcquireCurrent();
        try
        {
            if (version.Memtables is not [_, .., var memtable] || isDue?.Invoke(version) == false) return false;
            if (_flusher.Flush(version, memtable)) Pacer.Flushed(memtable.Segment.End, areMoreWaiting: _versions.Current.Memtables.Length > 1);
        }
        finally
        {
            version.Release();
        }

        _versions.Reclaimer.Collect();
        WakeWaiters();
        return true;
    }

    /// <summary>In the midst of a compaction: flushes what is due and can be afforded, and compacts the runs above the compaction's inputs.</summary>
    private void WorkBetween(long bytesMerged)
    {
        FlushBetween(bytesMerged);
        _owed -= bytesMerged;
        if (_owed <= 0) TryCompact(version => CompactionPicker.PickAbove(version.Runs, _newestInput!, _options));
    }

    private void FlushBetween(long bytesMerged)
    {
        _credit += bytesMerged;
        while (TryFlush(IsAffordable)) _credit = 0;
    }

    /// <summary>Whether enough bytes were merged for a flush, by how many runs there are too many.</summary>
    private bool IsAffordable(Versions.Version version)
    {
        var share = Math.Clamp(version.Runs.Length - 1 - _options.UpperRunsMax, 0, ShareMax);
        return _credit >= (long)(share * version.Memtables[^1].Segment.End);
    }
}
