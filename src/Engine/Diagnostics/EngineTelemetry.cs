using System.Diagnostics;
using Varve.Epochs;

namespace Varve.Diagnostics;

/// <summary>
/// Times the work of one engine, and reports it to the listeners of <see cref="Instruments"/>.
/// <para>
/// The problem: listeners are the user's code. They may be slow, may throw, and may call the engine, while work begins
/// and ends under locks and on threads that appliers wait for.
/// </para>
/// <list type="number">
/// <item>Work is reported when it has ended, as one value: its histogram gets the duration, and its span gets its
/// beginning and its end from the clock. No listener runs while the work does.</item>
/// <item>The value goes through a queue, and a thread of the pool empties it without a lock; so do the opening and the
/// closing thread. Values arrive in order, one at a time.</item>
/// <item>The queue has a fixed length, so the report of a sync allocates nothing. It is made with the first value. If
/// listeners are so slow that it is full, values are dropped: the counters of <see cref="EngineStatistics"/> count
/// them all the same.</item>
/// <item>Without a listener nothing is queued.</item>
/// </list>
/// <para>
/// The obvious design starts a span when the work begins. A listener is then called under the lock that the work begins
/// under, and its cost is a part of the work that it measures.
/// </para>
/// <para>Threads: any, under any lock; <see cref="Emit"/> without one.</para>
/// </summary>
internal sealed class EngineTelemetry(string database, TimeProvider? clockOfTest) : IThreadPoolWorkItem
{
    private const int WaitingMax = 1024;

    private readonly RankedLock _lock = new(LockOrder.Telemetry);
    private readonly WorkClock _clock = new(clockOfTest);
    private readonly WorkTotals _totals = new();
    private readonly KeyValuePair<string, object?> _tag = new(Instruments.DatabaseTag, database);
    private EndedWork[]? _waiting;
    private int _first;
    private int _count;
    private bool _isEmitting;
    private bool _isScheduled;

    /// <summary>The database's name: <see cref="EngineOptions.Name"/>.</summary>
    public string Database => database;

    /// <summary>The number and the duration of all work so far.</summary>
    public WorkTotals Totals => _totals;

    /// <summary>Now, to be given back to <see cref="Since"/> or <see cref="End"/>.</summary>
    public long Now() => _clock.Now();

    /// <summary>The time since a reading of <see cref="Now"/>.</summary>
    public TimeSpan Since(long then) => _clock.Since(then);

    /// <summary>Times work that is one call; its exception is reported and thrown.</summary>
    public T Run<T>(Work work, Func<WorkFacts, T> action)
    {
        var facts = new WorkFacts();
        var start = Now();
        try
        {
            var result = action(facts);
            if (!facts.IsDropped) End(work, start, facts);
            return result;
        }
        catch (Exception e)
        {
            End(work, start, facts, e);
            throw;
        }
    }

    /// <summary>Counts work that has ended, and queues it for the listeners. Never throws.</summary>
    /// <param name="work">The kind of work.</param>
    /// <param name="start">The reading of <see cref="Now"/> at its beginning.</param>
    /// <param name="facts">The tags of its span; null for work that has no span.</param>
    /// <param name="failure">The exception that ended it, or null.</param>
    /// <returns>Its duration.</returns>
    public TimeSpan End(Work work, long start, WorkFacts? facts = null, Exception? failure = null)
    {
        var duration = _clock.Since(start);
        if (failure is null) _totals.Add(work, duration);
        try
        {
            var isSpanWanted = facts is not null && Instruments.Spans.HasListeners();
            if (!isSpanWanted && !Instruments.DurationOf(work).Enabled) return duration;
            var span = isSpanWanted
                ? new WorkSpan(ParentOf(work), TimeProvider.System.GetUtcNow(), facts!, failure?.Message)
                : null;
            Post(new EndedWork(work, duration, failure?.GetType().FullName, span));
        }
        catch (OutOfMemoryException)
        {
            // The work has ended all the same; its report is dropped.
        }

        return duration;
    }

    /// <summary>
    /// Reports what waits to the listeners on this thread, unless another thread does so. The caller holds no lock.
    /// </summary>
    public void Emit()
    {
        using (_lock.Enter())
        {
            if (_isEmitting) return;
            _isEmitting = true;
        }

        while (TryDequeue(out var ended)) Instruments.Report(ended, _tag);
    }

    /// <summary>On a thread of the pool.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        using (_lock.Enter()) _isScheduled = false;
        Emit();
    }

    /// <summary>
    /// The caller's activity, for work that a caller asked for. The engine's threads have inherited that of the caller
    /// that opened the engine, which has nothing to do with their work.
    /// </summary>
    private static ActivityContext ParentOf(Work work) =>
        work is Work.Flush or Work.Compaction ? default : Activity.Current?.Context ?? default;

    private void Post(in EndedWork ended)
    {
        using (_lock.Enter())
        {
            _waiting ??= new EndedWork[WaitingMax];
            if (_count == WaitingMax) return;
            _waiting[(_first + _count) % WaitingMax] = ended;
            _count++;
            if (_isEmitting || _isScheduled) return;
            _isScheduled = true;
        }

        try
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        catch (OutOfMemoryException)
        {
            using (_lock.Enter()) _isScheduled = false; // the next value schedules both
        }
    }

    private bool TryDequeue(out EndedWork ended)
    {
        using (_lock.Enter())
        {
            if (_count == 0)
            {
                _isEmitting = false;
                ended = default;
                return false;
            }

            ended = _waiting![_first];
            _waiting[_first] = default; // it may refer to a span
            _first = (_first + 1) % WaitingMax;
            _count--;
            return true;
        }
    }
}
