using Varve.Commit;
using Varve.Contract;
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
/// Replaces the whole state: by a snapshot's, or by none. One at a time: the long tasks of an engine follow one
/// another.
/// </summary>
internal sealed class StateReplacement(
    EngineContext engine, VersionSet versions, WalWriter wal, History history, LiveKeyCounter liveKeys,
    MemtableRotation rotation, WalSyncer syncer)
{
    /// <summary>Checks a snapshot, takes its files, and replaces the state by its state.</summary>
    public void Install(SnapshotMetadata metadata, string path, CancellationToken token)
    {
        var stager = new SnapshotInstaller(versions, engine.Options, token);
        var staged = stager.Stage(metadata, path);
        try
        {
            token.ThrowIfCancellationRequested();
            var state = staged.Manifest.State;
            if (engine.Options.LeaseClock == LeaseClock.Local)
                state = new LeaseAdoption(versions, engine.Options).Adopt(state, engine.Clock.SeenLocal, ref staged);
            if (state.LiveCount < 0)
                throw new SnapshotRejectedException(
                    path, "snapshot counts fewer live keys than leases that have expired since");
            state = state with
            {
                LocalTimeMs = 0, // another machine's clock
                Snapshot = (metadata.LastIncluded.Index, metadata.LastIncluded.Term, metadata.Checksum.ToArray()),
            };
            Replace(state, staged.Tables, staged.Runs, applied => RejectOlder(metadata, path, applied));
        }
        catch (Exception e) when (e is not EngineFaultedException)
        {
            stager.Discard(staged);
            throw;
        }
        catch
        {
            // The manifest may name the tables by now: the next open keeps them or sweeps them.
            SnapshotInstaller.Release(staged);
            throw;
        }

        engine.Counters.AddSnapshotBytes(staged.Tables.Sum(table => table.Table.Length));
        SnapshotInstaller.Release(staged);
        engine.Log.Post(logger => Log.SnapshotInstalled(logger, metadata.LastIncluded.Index, path));
    }

    /// <summary>Replaces the state by the one before the first entry.</summary>
    public void Reset()
    {
        // Nothing else changes what a database is for life.
        var life = versions.Current.Generation;
        Replace(MachineState.Empty(life.HashSeed, life.LeaseClock), [], [], _ => { });
        engine.Log.Post(Log.WasReset);
    }

    /// <summary>
    /// Replaces the whole state in one manifest record: the old one serves up to it, the new one from it on. All memory
    /// is taken before the record: want of it is an ordinary error, and the old state goes on.
    /// </summary>
    private void Replace(MachineState state, AddedTable[] tables, Run[] runs, Action<ulong> check)
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
                memtable = rotation.TakeMemtableLocked(WalMarker.SizeOf(WalRecordType.Link), filled: null);
                engine.Allocations?.Invoke(Allocation.State);
                history.ReserveClear();
                var edit = new VersionEdit
                {
                    Replace = true,
                    NextFileNumber = 0,
                    FirstSegment = memtable.Segment.Number,
                    State = state,
                    Added = tables
                };
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
                versions.SwitchLocked(next);
            }
        }
        catch (Exception e) when (Shortage.IsMet(e) || (e is OutOfMemoryException && !isWriting))
        {
            memtable?.MarkObsolete(); // the manifest is as it was, and nothing names the segment
            throw;
        }
        catch (Exception e)
            when (e is not (SnapshotRejectedException or EngineFaultedException or InvalidOperationException))
        {
            // The manifest may or may not hold the record, and name the segment: only a new open can tell.
            engine.State.Fail(e);
            throw new EngineFaultedException(e);
        }
        finally
        {
            memtable?.Release();
        }

        engine.BackgroundWake.Set();
        syncer.Wake();
    }

    /// <summary>
    /// The log, the files, the history and the sync take note that the old state goes; before the switch, from where
    /// on another thread may free what is marked here.
    /// </summary>
    private void ReleaseGateHeld(DbVersion old, DbVersion next, Memtable memtable)
    {
        engine.Allocations?.Invoke(Allocation.AfterSeal);
        wal.Restart(memtable.Segment, next.Generation.Applied.Read());
        foreach (var past in old.Memtables) past.MarkObsolete();
        foreach (var run in old.Runs)
            foreach (var table in run.Tables) table.DropFile(versions.Spares);
        history.Clear();
        liveKeys.Restart(next);
        syncer.RestartLocked(new LogId(next.Base.LastIndex, next.Base.LastTerm));
    }

    /// <exception cref="SnapshotRejectedException">The snapshot ends below the applied entry.</exception>
    public static void RejectOlder(SnapshotMetadata metadata, string path, ulong applied)
    {
        if (metadata.LastIncluded.Index < applied)
            throw new SnapshotRejectedException(
                path, $"snapshot ends at entry {metadata.LastIncluded.Index}, below the applied entry {applied}");
    }
}
