using Varve.Background;
using Varve.Commit;
using Varve.Compaction;
using Varve.Memtables;
using Varve.Reading;
using Varve.Runtime;
using Varve.Storage;
using Varve.Versions;

namespace Varve.Recovery;

/// <summary>
/// The end of an engine, in this order:
/// <list type="number">
/// <item>the user's timers end, before any lock is held: disposing them is the user's code;</item>
/// <item>snapshots, installs and resets are cancelled and waited for: they touch the directory;</item>
/// <item>the state is closed under the gate: an applier in the middle of a chunk finishes it, and those after it see
/// the close; so does a catch-up, and the one under way is waited for;</item>
/// <item>the background thread ends; the log is synced, a large segment with little in it is flushed, and a close
/// marker ends the log; the sync thread ends;</item>
/// <item>those who still wait for work hear that nobody will do it;</item>
/// <item>memtables, files and the manifest are released, and the current version with the rest once no reader can see
/// it;</item>
/// <item>the directory is given back last. While an open view still has files mapped, a share of the directory stays
/// with it.</item>
/// </list>
/// </summary>
internal sealed class EngineShutdown(
    EngineContext engine,
    VersionSet versions,
    MemtableSupply supply,
    History history,
    ReadSessions sessions,
    CommitPipeline commit,
    WalSyncer syncer,
    BackgroundScheduler? background,
    Follower? follower,
    LongRunningTasks tasks,
    FlushProgress progress,
    DirectoryClaim claim)
{
    /// <summary>
    /// Closes the engine; false where it was closed before. Returns when the directory is given back, whoever closes
    /// it.
    /// </summary>
    public bool Close()
    {
        background?.EndIdleWatch();
        syncer.EndInterval();
        using (engine.State.Lifecycle.Enter())
        {
            if (engine.State.IsClosed) return false;
            try
            {
                EndWork();
            }
            finally
            {
                ReleaseDirectory();
            }

            return true;
        }
    }

    /// <summary>
    /// Wakes the callers that wait for the background, and fails the compactions that they asked for: the engine has
    /// closed, or a failure was latched.
    /// </summary>
    public void WakeWaiters()
    {
        progress.WakeWaiters();
        background?.FailRequests();
    }

    /// <summary>
    /// Ends everything that runs, whatever fails meanwhile: what follows takes the memory from under it.
    /// </summary>
    private void EndWork()
    {
        tasks.Close();
        using (versions.EnterGate()) engine.State.CloseGateHeld();
        follower?.WaitForCatchUp(); // the one under way saw the engine open; none begins after it
        background?.Dispose();
        try
        {
            SyncBeforeClose();
        }
        finally
        {
            syncer.Dispose();
            WakeWaiters();
        }
    }

    /// <summary>
    /// Makes the log durable and appends the close marker. With the marker, recovery reports damage to an earlier
    /// record as corruption and not as a torn tail.
    /// </summary>
    private void SyncBeforeClose()
    {
        if (background is null || engine.State.Fault is not null) return;
        try
        {
            syncer.SyncAll();
            if (background.TryLeaveSparseSegment()) syncer.SyncAll();
            if (commit.TryAppendCloseMarker()) syncer.SyncAll();
        }
        catch (IOException)
        {
            // Latched and logged; what was acknowledged under Process is in the page cache and survives this process.
        }
    }

    private void ReleaseDirectory()
    {
        using (versions.EnterGate()) history.Clear();
        versions.Dispose();
        supply.Dispose();
        versions.Reclaimer.Retire(versions.Current);
        try
        {
            versions.Reclaimer.Collect();
        }
        finally
        {
            if (versions.Reclaimer.IsAnythingLeft)
            {
                // The last reader out lets go of the mappings, and then of the share.
                claim.KeepMapped();
                versions.Reclaimer.RetireLast(claim);
            }
            else
            {
                claim.Dispose();
            }

            engine.State.SetReleased();
        }

        sessions.CollectAfterClose(); // a reader may have left just before that
    }
}
