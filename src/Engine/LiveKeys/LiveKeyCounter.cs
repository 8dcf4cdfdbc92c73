using Varve.Epochs;
using Varve.Format;
using Varve.Memtables;
using Varve.Versions;

namespace Varve.LiveKeys;

/// <summary>
/// Counts the live keys and finds expired leases of the running state.
/// <para>
/// <b>Problem.</b> An exact count needs to know of every put and delete whether the key was live before it. A lookup
/// through all runs tells, and that is the cost which a blind write must not pay. Time changes the count too: a lease
/// ends without a write.
/// </para>
/// <para>
/// <b>Design.</b> The count is a fold over the log, done when somebody asks: it takes the records since the last count
/// in order, and then the leases that have expired since. The cost is by what has changed.
/// </para>
/// <list type="number">
/// <item>The state is (index, time, count): the number of keys that are live at the time by their newest
/// version at the index. Neither index nor time ever goes back.</item>
/// <item>A <em>fold</em> moves the index, with the time held. It judges the old and the new version of each effect at
/// that time (<see cref="MemtableFold"/>), and keeps the leased puts that it passes.</item>
/// <item>An <em>advance</em> moves the time, with the index held. It subtracts the leases that end in between
/// (<see cref="ExpiredLeases"/>).</item>
/// <item>A flush folds its memtable to the end first, so that the manifest always carries the count of its tables. If
/// nothing of the memtable is folded yet, it adds the change by the rows, which it reads anyway
/// (<see cref="FlushDelta"/>). Both give the same count.</item>
/// <item>A compaction drops an expired lease only after the time has passed its deadline here
/// (<see cref="LeaseHorizon"/>). So no lease is gone before it was subtracted.</item>
/// <item>An engine has one counter. An install or a reset restarts it; a reader with a version of an older generation
/// is told to retry.</item>
/// </list>
/// <para>
/// <b>Why not</b> count at each call: the cost would be by the keys that exist. Why not count at each apply: the write
/// path would pay the lookup for a number that few callers ask for.
/// </para>
/// <para>Threads: any, under the counter's lock, which is taken under the gate or without it.</para>
/// </summary>
internal sealed class LiveKeyCounter(DbVersion first)
{
    private readonly RankedLock _lock = new(LockOrder.Count);
    private StateGeneration _generation = first.Generation;
    private ulong _index = first.Base.LastIndex;
    private ulong _time = first.Base.CountedTimeMs;
    private long _count = first.Base.LiveCount;
    private Action<byte[], ulong>? _subtract;
    private MachineState? _rebasedOn; // of a reader: counts versions of this base alone

    /// <summary>
    /// Counts the live keys at a revision and a time; false if the counter is past the revision, or at another state:
    /// the caller retries with a newer version.
    /// </summary>
    public bool TryCount(DbVersion version, ulong index, ulong timeMs, out long count)
    {
        using (_lock.Enter())
        {
            count = 0;
            if (!IsCountable(version, index)) return false;
            FoldCountHeld(version, index);
            AdvanceCountHeld(version, timeMs);
            count = _count;
            return true;
        }
    }

    /// <summary>
    /// Calls <paramref name="visit"/> with the key and the deadline of each key whose newest version at a revision is a
    /// lease with a deadline after <paramref name="from"/> and up to <paramref name="to"/>; false if the counter
    /// is past the revision, or at another state: the caller retries with a newer version.
    /// </summary>
    public bool TryVisitExpired(DbVersion version, ulong index, ulong from, ulong to, Action<byte[], ulong> visit)
    {
        using (_lock.Enter())
        {
            if (!IsCountable(version, index)) return false;
            FoldCountHeld(version, index);
            ExpiredLeases.Visit(version, index, from, to, visit);
            return true;
        }
    }

    /// <summary>
    /// Begins to count a flush by its rows, which costs less than the fold; null if a record of the memtable is folded
    /// already, or another state is current by now. <see cref="AddFlush"/> adds the result.
    /// </summary>
    /// <param name="version">A version whose oldest memtable it is, so all before it is folded to its end.</param>
    /// <param name="memtable">Sealed.</param>
    public FlushDelta? TryBeginFlush(DbVersion version, Memtable memtable)
    {
        using (_lock.Enter())
            return IsUntouched(version, memtable) ? new FlushDelta(version.Runs, _time) : null;
    }

    /// <summary>
    /// Adds the change by a memtable's rows. It does nothing if the memtable has been folded meanwhile, which gives the
    /// same count, or if time has passed or another state is current.
    /// </summary>
    /// <param name="version">The version that the flush began with.</param>
    /// <param name="memtable">The memtable.</param>
    /// <param name="delta">The change by all of its rows.</param>
    /// <param name="leases">The leased puts among its newest versions.</param>
    public void AddFlush(
        DbVersion version, Memtable memtable, FlushDelta delta,
        IEnumerable<(ulong Deadline, OperationRef Reference)> leases)
    {
        using (_lock.Enter())
        {
            if (!IsUntouched(version, memtable) || delta.TimeMs != _time) return;
            _count += delta.Value;
            _index = Math.Max(_index, memtable.Last!.Value.Index);
            memtable.Fold.SetAll(leases, memtable.Segment.End, (_count, _time));
        }
    }

    /// <summary>
    /// Gives the count at a sealed memtable's end, after it folds what is left of it; false if another state is current
    /// by now.
    /// </summary>
    /// <param name="version">A version that has the memtable.</param>
    /// <param name="memtable">The memtable.</param>
    /// <param name="counted">The count at the memtable's end, and the time by which leases were judged.</param>
    public bool TryEndFlush(DbVersion version, Memtable memtable, out (long LiveCount, ulong TimeMs) counted)
    {
        using (_lock.Enter())
        {
            counted = default;
            if (version.Generation != _generation) return false;
            // Not a record of the next memtable: a flush counts that by its rows only if nothing of it is folded.
            if (memtable.Fold.AtEnd is null) FoldCountHeld(version, memtable.Last!.Value.Index);
            counted = memtable.Fold.AtEnd!.Value;
            return true;
        }
    }

    /// <summary>
    /// Restarts at the base of a version that is about to be current and begins a generation. Allocates nothing.
    /// </summary>
    public void Restart(DbVersion next)
    {
        using (_lock.Enter()) RestartCountHeld(next);
    }

    /// <summary>
    /// Restarts a reader's counter at the base of a version that is about to be current, and counts no version of
    /// another base from now on: the writer's counter is ahead, and leases that it subtracted may be gone from the
    /// tables.
    /// </summary>
    public void Rebase(DbVersion next)
    {
        using (_lock.Enter())
        {
            RestartCountHeld(next);
            _rebasedOn = next.Base;
        }
    }

    private bool IsCountable(DbVersion version, ulong index) =>
        index >= _index && version.Generation == _generation
        && (_rebasedOn is null || ReferenceEquals(_rebasedOn, version.Base));

    private bool IsUntouched(DbVersion version, Memtable memtable) =>
        version.Generation == _generation && memtable.Fold.IsUntouched;

    private void RestartCountHeld(DbVersion next)
    {
        LockOrder.Count.AssertHeld();
        _generation = next.Generation;
        (_index, _time, _count) = (next.Base.LastIndex, next.Base.CountedTimeMs, next.Base.LiveCount);
        foreach (var memtable in next.Memtables) memtable.Fold.Restart();
    }

    private void AdvanceCountHeld(DbVersion version, ulong timeMs)
    {
        LockOrder.Count.AssertHeld();
        if (timeMs <= _time) return;
        ExpiredLeases.Visit(version, _index, _time, timeMs, _subtract ??= (_, _) => _count--);
        _time = timeMs;
    }

    /// <summary>Folds the memtables up to an index, the oldest first.</summary>
    private void FoldCountHeld(DbVersion version, ulong index)
    {
        LockOrder.Count.AssertHeld();
        for (var i = version.Memtables.Length - 1; i >= 0; i--) FoldMemtableCountHeld(version, i, index);
    }

    /// <summary>
    /// Folds a memtable up to an index. A sealed one is read to its end, though only markers follow the index. The
    /// active one is not read beyond the index: an applier may be writing there.
    /// </summary>
    private void FoldMemtableCountHeld(DbVersion version, int number, ulong index)
    {
        LockOrder.Count.AssertHeld();
        var memtable = version.Memtables[number];
        var fold = memtable.Fold;
        var isSealed = memtable.Last is not null;
        var records = memtable.Records(fold.NextRecord);
        while ((isSealed || _index < index)
            && records.MoveNextVerified() && records.Current.Header.LastIndex <= index)
        {
            ref readonly var record = ref records.Current;
            _count += MemtableFold.Difference(version, number, record, ulong.MaxValue, _time, fold.Leases);
            _index = Math.Max(_index, record.Header.LastIndex);
            fold.NextRecord = record.End;
        }

        if (isSealed && fold.NextRecord >= memtable.Segment.End) fold.AtEnd ??= (_count, _time);
    }
}
