using Varve.Commit;
using Varve.Contract;
using Varve.Diagnostics;
using Varve.Epochs;
using Varve.Format;
using Varve.LiveKeys;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Snapshots;

/// <summary>
/// Replaces the whole state of an engine: by a snapshot's (install) or by the empty one (reset).
/// <para>
/// The problem: tables, log, memtables, positions, outcomes, the count of live keys and the history change together,
/// under readers that do not wait and appliers that may be at work, and a crash or a failure at any point leaves either
/// the old state or the new one.
/// </para>
/// <list type="number">
/// <item>All files of the new state are copied, verified, synced and renamed before the manifest names one of them
/// (I4). A table that a snapshot brings is copied, never linked: its maker may still write to it (I7).</item>
/// <item>One manifest record is the switch on disk: it drops every old table, names every new one and the first segment
/// of the log, and holds the state. A crash before it opens the old state, a crash after it the new one.</item>
/// <item>The manifest lock and the gate are held from the check of the position to the switch in memory. No apply
/// reaches the old log after the record, and no flush commits between.</item>
/// <item>All memory is allocated before the record. Lack of it is an ordinary error, and the old state continues. A
/// failure after the record was begun latches the engine: only an open can tell which state the manifest names.</item>
/// <item>The log restarts and the old files are marked before the switch: from the switch on another thread may free
/// what readers no longer pin (I5, I8).</item>
/// <item>A new <see cref="StateGeneration"/> holds the position, so a reader gets version and position of one state,
/// also if the index goes backward (I1).</item>
/// </list>
/// <para>
/// The obvious design installs into an empty directory and exchanges two directories by rename. It loses to open
/// descriptors and mappings (views of the old state outlive it), to the writer's lock inside the directory, and to file
/// systems whose rename of a directory is not atomic with its sync.
/// </para>
/// <para>Threads: one install or reset at a time; <see cref="Varve.Background.LongRunningTasks"/> runs them.</para>
/// </summary>
internal sealed class StateReplacement(
    EngineContext engine, VersionSet versions, WalWriter wal, History history, LiveKeyCounter liveKeys,
    MemtableRotation rotation, WalSyncer syncer)
{
    /// <summary>Stages a verified copy of a snapshot and replaces the state by it.</summary>
    public void Install(SnapshotMetadata metadata, string path, CancellationToken token) =>
        Watch(metadata, path, facts => Install(metadata, path, facts, token));

    /// <summary>Times an install, and logs its failure.</summary>
    private void Watch(SnapshotMetadata metadata, string path, Func<WorkFacts, int> install)
    {
        try
        {
            engine.Telemetry.Run(Work.Install, facts =>
            {
                facts.Index = metadata.LastIncluded.Index;
                return install(facts);
            });
        }
        catch (Exception e) when (e is not (EngineFaultedException or OperationCanceledException))
        {
            engine.Log.Post(logger => Log.InstallFailed(logger, e, metadata.LastIncluded.Index, path));
            throw;
        }
    }

    /// <returns>The number of tables.</returns>
    private int Install(SnapshotMetadata metadata, string path, WorkFacts facts, CancellationToken token)
    {
        var staged = Stage(metadata, path, token);
        try
        {
            token.ThrowIfCancellationRequested();
            Replace(staged);
        }
        catch (Exception e) when (e is not EngineFaultedException)
        {
            staged.Delete();
            throw;
        }
        catch
        {
            // The manifest may name the tables: the next open keeps or deletes them.
            SnapshotInstaller.Release(staged.Tables);
            throw;
        }

        SnapshotInstaller.Release(staged.Tables);
        return Report(staged, facts);
    }

    /// <summary>
    /// Does everything that costs by the size of a snapshot: copies, verifies, syncs and opens its tables, and adapts
    /// them to the local clock.
    /// </summary>
    public StagedState Stage(SnapshotMetadata metadata, string path, CancellationToken token)
    {
        var stager = new SnapshotInstaller(versions, engine.Options, token);
        var tables = stager.Stage(metadata, path);
        try
        {
            token.ThrowIfCancellationRequested();
            var state = tables.Manifest.State;
            if (engine.Options.LeaseClock == LeaseClock.Local)
                state = new LeaseAdoption(versions, engine.Options).Adopt(state, engine.Clock.SeenLocal, ref tables);
            state = state with
            {
                LocalTimeMs = 0, // another machine's clock
                Snapshot = (metadata.LastIncluded.Index, metadata.LastIncluded.Term, metadata.Checksum.ToArray()),
            };
            EnsureCounts(state, path);
            return new StagedState(stager, tables, state, metadata, path);
        }
        catch
        {
            stager.DeleteStaged(tables);
            throw;
        }
    }

    /// <summary>
    /// Replaces the state by a staged snapshot. Its tables stay the caller's, also if this fails.
    /// </summary>
    public void InstallStaged(StagedState staged) => Watch(staged.Metadata, staged.Path, facts =>
    {
        Replace(staged);
        return Report(staged, facts);
    });

    /// <summary>
    /// Checks the snapshot against the present state again, which may have moved on since it was staged.
    /// </summary>
    private void Replace(StagedState staged)
    {
        var (state, path) = (staged.State, staged.Path);
        if (engine.Options.LeaseClock == LeaseClock.Local)
            state = StateCounts.CountedAt(
                staged.Tables.Runs, state, Math.Max(state.CountedTimeMs, engine.Clock.SeenLocal));
        EnsureCounts(state, path);
        ReplaceState(
            state, staged.Tables.Tables, staged.Tables.Runs, applied => RejectOlder(staged.Metadata, path, applied));
    }

    private static void EnsureCounts(MachineState state, string path)
    {
        if (state.LiveCount < 0)
            throw new SnapshotRejectedException(
                path, "snapshot counts fewer live keys than leases that have expired since");
    }

    private int Report(StagedState staged, WorkFacts facts)
    {
        facts.Bytes = staged.Tables.Tables.Sum(table => table.Table.Length);
        facts.Rows = staged.Tables.Tables.Sum(table => table.Table.RowCount);
        engine.Counters.AddSnapshotBytes(facts.Bytes.Value);
        engine.Log.Post(
            logger => Log.SnapshotInstalled(logger, staged.Metadata.LastIncluded.Index, staged.Path));
        return staged.Tables.Tables.Length;
    }

    /// <summary>Replaces the state by the empty one, at index 0.</summary>
    public void Reset()
    {
        // Hash seed and lease clock are the database's, for life.
        var life = versions.Current.Generation;
        ReplaceState(MachineState.Empty(life.HashSeed, life.LeaseClock), [], [], _ => { });
        engine.Log.Post(Log.WasReset);
    }

    /// <summary>
    /// Replaces the state in one manifest record: reads get the old one before it and the new one after.
    /// </summary>
    private void ReplaceState(MachineState state, AddedTable[] tables, Run[] runs, Action<ulong> check)
    {
        Memtable? memtable = null;
        var isWriting = false;
        try
        {
            engine.Allocations?.Invoke(Allocation.State);
            var generation = new StateGeneration(
                state, engine.Options.HistoryEntries + EngineOptions.OutcomesKept, engine.Allocations);
            using (versions.EnterManifest())
            using (versions.EnterGate())
            {
                engine.State.EnsureMutable();
                check(wal.Position.Index);
                memtable = rotation.NextMemtableGateHeld(WalMarker.SizeOf(WalRecordType.Link), filled: null);
                engine.Allocations?.Invoke(Allocation.State);
                history.ReserveDropAll();
                var edit = new VersionEdit
                {
                    Replace = true,
                    NextFileNumber = 0,
                    FirstSegment = memtable.Segment.Number,
                    State = state,
                    Added = tables
                };
                var (life, applied) = (versions.Current.Generation, wal.Position.Index);
                generation.Line = state.LastIndex < applied ? life.Line + 1 : life.Line;
                var next = new DbVersion(generation, [memtable], runs, state);
                try
                {
                    versions.AppendEditManifestHeld(edit, ref isWriting);
                }
                catch
                {
                    next.Release();
                    throw;
                }

                ReleaseGateHeld(versions.Current, next, memtable);
                versions.SwitchGateHeld(next);
            }
        }
        catch (Exception e) when (Shortage.IsMet(e) || (e is OutOfMemoryException && !isWriting))
        {
            memtable?.DropSegment(); // the manifest is unchanged, and nothing names the segment
            throw;
        }
        catch (Exception e)
            when (e is not (SnapshotRejectedException or EngineFaultedException or InvalidOperationException))
        {
            // The manifest may hold the record and name the segment: only a new open can tell.
            engine.State.Fail(e);
            throw new EngineFaultedException(e);
        }
        finally
        {
            memtable?.Release();
        }

        engine.Changes.Raise();
        engine.BackgroundWake.Set();
        syncer.Wake();
    }

    /// <summary>
    /// Drops the old state from log, files, history, live keys and sync. Called before the switch: after it another
    /// thread may free what is marked here (I8).
    /// </summary>
    private void ReleaseGateHeld(DbVersion old, DbVersion next, Memtable memtable)
    {
        LockOrder.Gate.AssertHeld();
        engine.Allocations?.Invoke(Allocation.AfterSeal);
        var applied = wal.Position.Index;
        wal.Restart(memtable.Segment, next.Generation.Applied.Read(out var mark), mark);
        next.Generation.Log.Publish(memtable.Segment, memtable.Segment.End);
        foreach (var past in old.Memtables) past.DropSegment();
        foreach (var run in old.Runs)
            foreach (var table in run.Tables) table.DropFile(versions.RecycledFiles);
        LoseChangesGateHeld(old, next, applied);
        liveKeys.Restart(next);
        syncer.RestartGateHeld(new LogId(next.Base.LastIndex, next.Base.LastTerm));
    }

    /// <summary>
    /// The changes of the old log can no longer be read. A new state at the same index is no gap to a reader that has
    /// read all of them.
    /// </summary>
    private void LoseChangesGateHeld(DbVersion old, DbVersion next, ulong applied)
    {
        LockOrder.Gate.AssertHeld();
        history.DropAll();
        for (var i = old.Memtables.Length - 1; i >= 0; i--) history.Lose(old.Memtables[i].Segment);
        if (next.Base.LastIndex != applied)
            history.Lose(LostChanges.Before(next));
    }

    /// <exception cref="SnapshotRejectedException">The snapshot ends below the applied entry.</exception>
    public static void RejectOlder(SnapshotMetadata metadata, string path, ulong applied)
    {
        if (metadata.LastIncluded.Index < applied)
            throw new SnapshotRejectedException(
                path, $"snapshot ends at entry {metadata.LastIncluded.Index}, below the applied entry {applied}");
    }
}
