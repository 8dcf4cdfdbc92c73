using Varve.Epochs;
using Varve.Format;
using Varve.Memtables;
using Varve.Tables;
using Varve.Versions;

namespace Varve.LiveKeys;

/// <summary>
/// Counts the live keys and finds expired leases, without reading anything that has not changed.
/// <para>
/// The problem: an exact count needs to know, for every put and delete, whether the key was there before, and a lookup
/// through all runs is what a blind write must not pay for. The obvious designs lose: counting at every call costs by
/// what exists, counting at every apply slows the one path that matters. So the count is a <em>fold over the log</em>,
/// done lazily: from the memtables' records in order, each effect against the version before it, up to the revision
/// asked for. A flush folds its memtable to the end first, so that the manifest always carries the count as of its
/// tables.
/// </para>
/// <list type="number">
/// <item>State: (index, time, count); count is the number of keys whose newest version at index is live at time.
/// Neither index nor time ever goes back.</item>
/// <item>A fold to a later index judges the old and the new version of each effect at time.</item>
/// <item>An advance of time from t to t' visits the leases with t &lt; deadline &lt;= t', found in the memtables' sets
/// and the tables' lease regions by binary search, and subtracts those that are still the newest version of their
/// key.</item>
/// <item>Compaction drops an expired lease only when time has passed its deadline here first; so nothing that would
/// have to be subtracted vanishes before it was.</item>
/// <item>An engine has one counter. An install or a reset restarts it at the new generation's base; a reader that comes
/// with a version of an older generation is told to retry.</item>
/// </list>
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

    /// <summary>
    /// Folds a sealed memtable, and those before it, to its end; false if another state is current by now.
    /// </summary>
    /// <param name="version">A version that has the memtable.</param>
    /// <param name="memtable">The memtable.</param>
    /// <param name="counted">The count at the memtable's end, and the time by which leases were judged.</param>
    public bool TryCountAtEnd(DbVersion version, Memtable memtable, out (long LiveCount, ulong TimeMs) counted)
    {
        using (_lock.Enter())
        {
            counted = default;
            if (version.Generation != _generation) return false;
            // Not a record further than needed: the next memtable is counted by its keys only if nothing of it is
            // folded.
            if (memtable.Fold.AtEnd is null) FoldCountHeld(version, memtable.Last!.Value.Index);
            counted = memtable.Fold.AtEnd!.Value;
            return true;
        }
    }

    /// <summary>
    /// True if the oldest memtable may be counted by its keys (<see cref="FlushDelta"/>): no record of it is folded
    /// yet. A flush reads the keys anyway, so this costs less than the fold. <see cref="CountedByKeys"/> then adds the
    /// result.
    /// </summary>
    /// <param name="version">A version that has the memtable.</param>
    /// <param name="memtable">Sealed; all before it is folded to its end.</param>
    /// <param name="timeMs">The time to judge leases by.</param>
    public bool TryCountByKeys(DbVersion version, Memtable memtable, out ulong timeMs)
    {
        using (_lock.Enter())
        {
            timeMs = _time;
            return version.Generation == _generation && memtable.Fold.NextRecord == WalSegmentHeader.Size;
        }
    }

    /// <summary>
    /// Adds the difference that counting a memtable by its keys found, unless the memtable has been folded meanwhile,
    /// which gives the same count, or another state is current by now.
    /// </summary>
    /// <param name="version">A version that has the memtable.</param>
    /// <param name="memtable">The memtable.</param>
    /// <param name="timeMs">The time that leases were judged by.</param>
    /// <param name="difference">By how much the memtable changes the count.</param>
    /// <param name="leases">The leased puts among its newest versions.</param>
    public void CountedByKeys(
        DbVersion version, Memtable memtable, ulong timeMs, long difference,
        IEnumerable<(ulong Deadline, OperationRef Reference)> leases)
    {
        using (_lock.Enter())
        {
            var fold = memtable.Fold;
            if (version.Generation != _generation || fold.NextRecord != WalSegmentHeader.Size || timeMs != _time)
                return;
            _count += difference;
            _index = Math.Max(_index, memtable.Last!.Value.Index);
            fold.Leases.UnionWith(leases);
            fold.NextRecord = memtable.Segment.End;
            fold.AtEnd = (_count, _time);
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
            Expired(version, index, from, to, visit);
            return true;
        }
    }

    /// <summary>
    /// The live count at an index inside the version's memtables, at the time that the version's base was counted at.
    /// </summary>
    // SAFETY: records are read within the segment's end, and the version keeps its memtables.
    public static unsafe long CountAt(DbVersion version, ulong index)
    {
        var count = version.Base.LiveCount;
        for (var i = version.Memtables.Length - 1; i >= 0; i--)
        {
            var segment = version.Memtables[i].Segment;
            // Beyond a sealed memtable's end a recycled segment may still hold a record of its life before.
            var end = version.Memtables[i].Last is null ? long.MaxValue : segment.End;
            var records = segment.Records();
            var last = version.Base.LastIndex;
            while (last < index && records.Next < end && records.MoveNextVerified())
            {
                ref readonly var record = ref records.Current;
                count += MemtableFold.Count(version, i, record, index, version.Base.CountedTimeMs, leases: null);
                last = record.Header.LastIndex;
            }
        }

        return count;
    }

    /// <summary>
    /// The state of tables alone, counted at another time, earlier ones too: a machine may be opened or installed by a
    /// clock that is behind the one that counted. An earlier time must not go back behind what a compaction dropped as
    /// reported.
    /// </summary>
    public static MachineState CountedAt(Run[] runs, MachineState state, ulong timeMs)
    {
        var changed = 0L;
        if (timeMs >= state.CountedTimeMs)
            ExpiredInRuns(runs, state.HashSeed, state.CountedTimeMs, timeMs, (_, _) => changed--);
        else ExpiredInRuns(runs, state.HashSeed, timeMs, state.CountedTimeMs, (_, _) => changed++);
        return state with { LiveCount = state.LiveCount + changed, CountedTimeMs = timeMs };
    }

    /// <summary>As <see cref="TryVisitExpired"/>, in runs alone, newest first.</summary>
    public static void ExpiredInRuns(Run[] runs, ulong hashSeed, ulong from, ulong to, Action<byte[], ulong> visit)
    {
        var hasher = new KeyHasher(hashSeed);
        VisitLeases(runs, from, to, key => DbVersion.FindInRuns(runs, key, hasher.Of(key)), visit);
    }

    // SAFETY: a folded lease names an operation of the segment, which the version keeps.
    private static unsafe void Expired(
        DbVersion version, ulong index, ulong from, ulong to, Action<byte[], ulong> visit)
    {
        if (to <= from) return;
        foreach (var memtable in version.Memtables)
        {
            if (memtable.Fold.Leases.Count == 0) continue;
            foreach (var (deadline, reference) in memtable.Fold.Leases.GetViewBetween(
                (from + 1, default), (to, OperationRef.Last)))
            {
                var key = reference.At(memtable.Segment.Base).Key;
                if (version.Find(key, index).IsSameAs(new KeyVersion(memtable.Index.OperationAt(reference))))
                    visit(key.ToArray(), deadline);
            }
        }

        VisitLeases(version.Runs, from, to, key => version.Find(key, index), visit);
    }

    private static void VisitLeases(
        Run[] runs, ulong from, ulong to, Func<byte[], KeyVersion> newest, Action<byte[], ulong> visit)
    {
        if (to <= from) return;
        foreach (var run in runs)
        {
            foreach (var handle in run.Tables)
            {
                if (handle.Descriptor.LeaseCount == 0) continue;
                var leases = handle.Table.Leases(from, to);
                while (leases.MoveNext())
                {
                    var key = new byte[leases.KeyLength];
                    leases.CopyKeyTo(key);
                    if (newest(key).IsSameAs(leases.Row)) visit(key, leases.Deadline);
                }
            }
        }
    }

    private bool IsCountable(DbVersion version, ulong index) =>
        index >= _index && version.Generation == _generation
        && (_rebasedOn is null || ReferenceEquals(_rebasedOn, version.Base));

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
        Expired(version, _index, _time, timeMs, _subtract ??= (_, _) => _count--);
        _time = timeMs;
    }

    private void FoldCountHeld(DbVersion version, ulong index)
    {
        LockOrder.Count.AssertHeld();
        for (var i = version.Memtables.Length - 1; i >= 0; i--)
        {
            var memtable = version.Memtables[i];
            var fold = memtable.Fold;
            var segment = memtable.Segment;
            var isSealed = memtable.Last is not null;
            var end = isSealed ? segment.End : long.MaxValue;
            var records = segment.Records(fold.NextRecord);
            while (records.Next < end && (isSealed || _index < index)
                && records.MoveNextVerified() && records.Current.Header.LastIndex <= index)
            {
                ref readonly var record = ref records.Current;
                _count += MemtableFold.Count(version, i, record, ulong.MaxValue, _time, fold.Leases);
                _index = Math.Max(_index, record.Header.LastIndex);
                fold.NextRecord = record.End;
            }

            if (fold.NextRecord >= end) fold.AtEnd ??= (_count, _time);
        }
    }
}
