using Varve.Contract;
using Varve.Epochs;
using Varve.Format;
using Varve.Runtime;
using Varve.Wal;

namespace Varve.Versions;

/// <summary>
/// One life of the state: from an open, install or reset to the next install or reset.
/// <para>
/// The problem: an install replaces tables, memtables, position, terms, outcomes and lease clean-up at once, and may
/// take the index backward. A reader takes no lock; it must never pair the tables of one state with the position of
/// another.
/// </para>
/// <list type="number">
/// <item>An install replaces everything that is a property here, and nothing else that describes the state. All
/// versions of one life share one generation.</item>
/// <item>A reader that has a version has the position, terms and seeds that go with it: the switch to a version of
/// another generation replaces them all in one store.</item>
/// <item>A change is of one generation (<see cref="VersionChange.Generation"/>), and void once another is
/// current.</item>
/// <item><see cref="Reserve"/> and <see cref="ReserveJump"/> allocate before a record is committed, so that
/// <see cref="Record"/> and <see cref="RecordJump"/> cannot fail after it (I2).</item>
/// <item>Terms and outcomes of an entry are recorded before the entry is published (I1).</item>
/// </list>
/// <para>
/// The obvious design keeps these as fields of the engine, which an install resets. It lost: between two of its stores
/// a reader sees new tables with the old position.
/// </para>
/// <para>Written under the gate. Any thread reads <see cref="Applied"/>, <see cref="Terms"/> and the last
/// snapshot.</para>
/// </summary>
internal sealed class StateGeneration
{
    private ulong _lastRecorded;

    /// <param name="state">The state that it begins with.</param>
    /// <param name="outcomes">The least number of outcomes to keep.</param>
    /// <param name="allocations">Called where it needs memory; may throw.</param>
    public StateGeneration(MachineState state, int outcomes, Action<Allocation>? allocations = null)
    {
        var position = new LogPosition(state.LastIndex, state.LastTerm, state.LogTimeMs, state.LocalTimeMs);
        Applied = new AppliedPosition(position, state.Mark);
        Terms = new TermTable(state.Terms, allocations);
        Outcomes = new OutcomeLog(outcomes, state.Outcomes, allocations);
        HashSeed = state.HashSeed;
        TableHasher = new KeyHasher(state.HashSeed);
        LeaseClock = state.LeaseClock;
        _lastRecorded = state.LastIndex;
        CleanedTimeMs = state.CleanedTimeMs;
        Snapshots = new SnapshotRecords(
            state.Snapshot is { } last ? new SnapshotMetadata(new LogId(last.Index, last.Term), last.Checksum) : null);
    }

    /// <summary>
    /// Allocates the memory that <see cref="Record"/> needs for the next entries, so that it cannot fail once their
    /// record is committed. Under the gate.
    /// </summary>
    public void Reserve(ReadOnlySpan<EntryPosition> entries, ColumnFlags flags)
    {
        // Consecutive entries of one term begin at most one run, behind a hole.
        var runs = (flags & (ColumnFlags.Indexes | ColumnFlags.Terms)) == 0 ? 1 : RunsOf(entries);
        Terms.Reserve(2 * runs);
        Outcomes.Reserve(runs);
        if ((flags & ColumnFlags.Refused) != 0) Outcomes.ReserveRefused();
    }

    /// <summary>Allocates the memory that <see cref="RecordJump"/> needs. Under the gate.</summary>
    public void ReserveJump() => Terms.Reserve(2);

    private static int RunsOf(ReadOnlySpan<EntryPosition> entries)
    {
        var runs = 1;
        for (var i = 1; i < entries.Length; i++)
            if (entries[i].Term != entries[i - 1].Term || entries[i].Index != entries[i - 1].Index + 1) runs++;
        return runs;
    }

    /// <summary>Records the term and the outcome of the next applied entry. Under the gate.</summary>
    public void Record(in EntryPosition entry)
    {
        if (entry.Index == _lastRecorded + 1) Terms.Add(entry.Index, entry.Term);
        else Terms.AddJump(_lastRecorded, entry.Index, entry.Term);
        Outcomes.Add(entry.Index, entry.Status);
        _lastRecorded = entry.Index;
    }

    /// <summary>Records that the applied position moved without entries. Under the gate.</summary>
    public void RecordJump(ulong index, ulong term)
    {
        if (index <= _lastRecorded) return;
        Terms.AddJump(_lastRecorded, index, term);
        _lastRecorded = index;
    }

    /// <summary>The state as of a position, for a manifest or a snapshot. Under the gate.</summary>
    /// <param name="position">The position.</param>
    /// <param name="mark">The mark of the outer log at the position.</param>
    /// <param name="cleanedTimeMs">The largest deadline that clean-ups had reported by then.</param>
    /// <param name="liveCount">The number of live keys at the position.</param>
    /// <param name="countedTimeMs">The time that leases were judged by in that count.</param>
    public MachineState DescribeGateHeld(
        LogPosition position, in LogMark mark, ulong cleanedTimeMs, long liveCount, ulong countedTimeMs)
    {
        LockOrder.Gate.AssertHeld();
        return new()
        {
            LastIndex = position.Index,
            LastTerm = position.Term,
            LogTimeMs = position.LogTimeMs,
            LocalTimeMs = position.LocalTimeMs,
            LiveCount = liveCount,
            CountedTimeMs = countedTimeMs,
            CleanedTimeMs = cleanedTimeMs,
            HashSeed = HashSeed,
            LeaseClock = LeaseClock,
            Mark = mark,
            Terms = Terms.UpTo(position.Index),
            Outcomes = Outcomes.UpTo(position.Index, EngineOptions.OutcomesKept),
            Snapshot = Snapshots.UpToGateHeld(position.Index) is { } snapshot
                ? (snapshot.LastIncluded.Index, snapshot.LastIncluded.Term, snapshot.Checksum.ToArray()) : null,
        };
    }

    /// <summary>The published position.</summary>
    public AppliedPosition Applied { get; }

    /// <summary>The published end of the log.</summary>
    public VisibleLog Log { get; } = new();

    /// <summary>
    /// Counts the replacements that took the index back, or may have: changes of another line do not continue this
    /// one's. Set before the generation is current.
    /// </summary>
    public int Line { get; set; }

    public TermTable Terms { get; }

    public OutcomeLog Outcomes { get; }

    /// <summary>The last snapshots that were made or installed.</summary>
    public SnapshotRecords Snapshots { get; }

    /// <summary>
    /// The largest deadline of all leases that a clean-up has reported, Unix milliseconds. Under the gate.
    /// </summary>
    public ulong CleanedTimeMs { get; set; }

    /// <summary>
    /// The deadline up to which clean-ups have searched in this generation, Unix milliseconds. Under the gate.
    /// </summary>
    public ulong VisitedTimeMs { get; set; }

    /// <summary>The seed of key hashes in its tables.</summary>
    public ulong HashSeed { get; }

    /// <summary>Hashes keys for tables.</summary>
    public KeyHasher TableHasher { get; }

    /// <summary>
    /// Hashes keys for memtables and chunks, with a seed that is in no file. A reader of a snapshot does not know it,
    /// nor does the author of one that is installed.
    /// </summary>
    public KeyHasher MemtableHasher { get; } = new(HashSeeds.Next());

    /// <summary>The clock that its leases expire by; fixed for the life of a database.</summary>
    public StoredLeaseClock LeaseClock { get; }
}
