using Varve.Contract;
using Varve.Epochs;
using Varve.Format;
using Varve.Wal;

namespace Varve.Versions;

/// <summary>
/// One life of the state: from open, install or reset to the next of them. Versions of one generation share it, so a
/// reader who has a version has the position that goes with it, also when an install takes the index backward.
/// </summary>
internal sealed class StateGeneration
{
    private ulong _lastNoted;

    /// <param name="state">What it begins with.</param>
    /// <param name="outcomes">How many outcomes it keeps at least.</param>
    /// <param name="allocations">Called where it needs memory; may throw.</param>
    public StateGeneration(MachineState state, int outcomes, Action<Allocation>? allocations = null)
    {
        var position = new LogPosition(state.LastIndex, state.LastTerm, state.LogTimeMs, state.LocalTimeMs);
        Applied = new AppliedPosition(position);
        Terms = new TermTable(state.Terms, allocations);
        Outcomes = new OutcomeLog(outcomes, state.Outcomes, allocations);
        HashSeed = state.HashSeed;
        TableHasher = new KeyHasher(state.HashSeed);
        LeaseClock = state.LeaseClock;
        _lastNoted = state.LastIndex;
        CleanedTimeMs = state.CleanedTimeMs;
        Snapshots = new SnapshotRecords(
            state.Snapshot is { } last ? new SnapshotMetadata(new LogId(last.Index, last.Term), last.Checksum) : null);
    }

    /// <summary>
    /// Takes the memory that <see cref="Note"/> needs for the next entries, so that nothing can fail once their record
    /// is sealed. Under the engine's gate.
    /// </summary>
    public void Reserve(ReadOnlySpan<EntryPosition> entries, ColumnFlags flags)
    {
        // Of consecutive entries of one term the first alone can begin a run, behind a hole.
        var runs = (flags & (ColumnFlags.Indexes | ColumnFlags.Terms)) == 0 ? 1 : RunsOf(entries);
        Terms.Reserve(2 * runs);
        Outcomes.Reserve(runs);
        if ((flags & ColumnFlags.Refused) != 0) Outcomes.ReserveRefused();
    }

    /// <summary>As <see cref="Reserve"/>, for <see cref="NoteJump"/>.</summary>
    public void ReserveJump() => Terms.Reserve(2);

    private static int RunsOf(ReadOnlySpan<EntryPosition> entries)
    {
        var runs = 1;
        for (var i = 1; i < entries.Length; i++)
            if (entries[i].Term != entries[i - 1].Term || entries[i].Index != entries[i - 1].Index + 1) runs++;
        return runs;
    }

    /// <summary>Remembers the term and the outcome of the next applied entry; under the engine's gate.</summary>
    public void Note(in EntryPosition entry)
    {
        if (entry.Index == _lastNoted + 1) Terms.Note(entry.Index, entry.Term);
        else Terms.NoteJump(_lastNoted, entry.Index, entry.Term);
        Outcomes.Add(entry.Index, entry.Status);
        _lastNoted = entry.Index;
    }

    /// <summary>Remembers that the applied position moved without entries; under the engine's gate.</summary>
    public void NoteJump(ulong index, ulong term)
    {
        if (index <= _lastNoted) return;
        Terms.NoteJump(_lastNoted, index, term);
        _lastNoted = index;
    }

    /// <summary>The state as of a position, for a manifest or a snapshot; under the engine's gate.</summary>
    /// <param name="position">The position.</param>
    /// <param name="cleanedTimeMs">The largest deadline that was reported by then.</param>
    /// <param name="liveCount">How many keys are live at it.</param>
    /// <param name="countedTimeMs">The time by which they were counted.</param>
    public MachineState DescribeGateHeld(
        LogPosition position, ulong cleanedTimeMs, long liveCount, ulong countedTimeMs)
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
            Terms = Terms.UpTo(position.Index),
            Outcomes = Outcomes.UpTo(position.Index, EngineOptions.OutcomesKept),
            Snapshot = Snapshots.UpToGateHeld(position.Index) is { } snapshot
                ? (snapshot.LastIncluded.Index, snapshot.LastIncluded.Term, snapshot.Checksum.ToArray()) : null,
        };
    }

    /// <summary>What readers see.</summary>
    public AppliedPosition Applied { get; }

    public TermTable Terms { get; }

    public OutcomeLog Outcomes { get; }

    /// <summary>The last snapshots made or installed.</summary>
    public SnapshotRecords Snapshots { get; }

    /// <summary>
    /// The largest deadline of all leases that a clean-up has reported, Unix milliseconds; under the engine's gate.
    /// </summary>
    public ulong CleanedTimeMs { get; set; }

    /// <summary>Up to here clean-ups have looked since it began, Unix milliseconds; under the engine's gate.</summary>
    public ulong VisitedTimeMs { get; set; }

    /// <summary>What the hashes of keys in its tables are made with.</summary>
    public ulong HashSeed { get; }

    /// <summary>Hashes keys for tables.</summary>
    public KeyHasher TableHasher { get; }

    /// <summary>
    /// Hashes keys for memtables and chunks, with a seed that is in no file: who reads a snapshot, or makes one to be
    /// installed, does not know it.
    /// </summary>
    public KeyHasher MemtableHasher { get; } = new(KeyHasher.NewSeed());

    /// <summary>The clock that its leases expire by.</summary>
    public StoredLeaseClock LeaseClock { get; }
}
