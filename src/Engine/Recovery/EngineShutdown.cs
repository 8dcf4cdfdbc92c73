using Varve.Background;
using Varve.Changes;
using Varve.Commit;
using Varve.Compaction;
using Varve.Memtables;
using Varve.Reading;
using Varve.Runtime;
using Varve.Storage;
using Varve.Versions;

namespace Varve.Recovery;

/// <summary>
/// Closes an engine.
/// <para>
/// The problem: appliers, readers, long tasks, two threads and the user's timers may all run when the close begins, and
/// each uses memory or files that the close releases. What was applied is durable afterwards, readers finish, and the
/// next engine may open the directory the moment the close returns.
/// </para>
/// <list type="number">
/// <item>Dispose the user's timers, before any lock is taken: disposing them is the user's code.</item>
/// <item>Take the lifecycle lock until the end. A second close waits here, so it too returns when the directory is
/// released.</item>
/// <item>Cancel snapshots, installs and resets, and wait for them: they write to directories.</item>
/// <item>Close the state under the gate. An applier in the gate finishes its chunk; later calls throw. End the thread
/// that applies queued chunks; those that still wait fail. End the dispatcher of changes, and the enumerations that
/// wait for some.</item>
/// <item>Wait for a catch-up that is under way. It saw the engine open; none begins after step 4.</item>
/// <item>End the background thread. From here on this thread alone changes versions.</item>
/// <item>Unless a failure is latched: sync the log; if no sealed memtable waits, flush a large segment with little
/// data; append the close marker and sync it. With the marker, an open takes damage to an earlier record for
/// corruption, not for a torn tail.</item>
/// <item>End the sync thread after serving its waiters. Wake appliers and snapshots that wait for the background; fail
/// the compactions that callers asked for.</item>
/// <item>Drop the history, close the manifest, dispose ready memtables and segments, retire the current version and
/// free what no reader can see (I8).</item>
/// <item>Release the directory. If a reader still has files mapped, keep a share of it until the last reader has left,
/// so that no engine writes over them.</item>
/// </list>
/// <para>
/// The obvious design sets the state first and lets everything else notice. A task that noticed late would write to a
/// directory that another engine has claimed. Here each step ends one kind of caller before the next releases what that
/// caller used; a failing step does not skip the later ones.
/// </para>
/// <para>Threads: any; the closing thread does all of it.</para>
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
    ChangeFeed changes,
    DirectoryClaim claim)
{
    /// <summary>
    /// Closes the engine, unless it is closed. The directory is released on return.
    /// </summary>
    public void Run()
    {
        background?.EndIdleDetection();
        syncer.EndInterval();
        using (engine.State.Lifecycle.Enter())
        {
            if (engine.State.IsClosed) return;
            var applied = versions.Current.Applied.Index;
            try
            {
                EndWork();
            }
            finally
            {
                ReleaseDirectory();
            }

            engine.Log.Post(logger => Log.Closed(logger, versions.Directory, applied));
        }
    }

    /// <summary>
    /// Wakes the callers that wait for changes or the background, and fails the compactions that they asked for: the
    /// engine has closed, or a failure was latched.
    /// </summary>
    public void WakeWaiters()
    {
        changes.WakeReaders();
        progress.WakeWaiters();
        background?.FailRequests();
    }

    /// <summary>
    /// Steps 3 to 8: ends everything that runs, even if one of them fails, since the next steps free the memory that it
    /// uses.
    /// </summary>
    private void EndWork()
    {
        tasks.Dispose();
        using (versions.EnterGate()) engine.State.SetClosedGateHeld();
        progress.WakeWaiters();
        commit.Async.Dispose();
        changes.Dispose();
        follower?.WaitForCatchUp();
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
    /// Step 7: makes the log durable and appends the close marker.
    /// </summary>
    private void SyncBeforeClose()
    {
        if (background is null || engine.State.Fault is not null) return;
        try
        {
            syncer.SyncAll();
            if (background.TryFlushSparseSegment()) syncer.SyncAll();
            if (commit.TryAppendCloseMarker()) syncer.SyncAll();
        }
        catch (Exception e) when (e is IOException or EngineFaultedException)
        {
            // Latched and logged. Entries acknowledged under Process are in the page cache and survive this process.
        }
    }

    /// <summary>Steps 9 and 10.</summary>
    private void ReleaseDirectory()
    {
        using (versions.EnterGate()) history.DropAll();
        versions.Dispose();
        supply.Dispose();
        versions.Reclaimer.Retire(versions.Current);
        try
        {
            versions.Reclaimer.FreeRetired();
        }
        finally
        {
            if (versions.Reclaimer.IsAnythingLeft)
            {
                // The last reader to leave releases the mappings, then the share.
                claim.KeepMapped();
                versions.Reclaimer.RetireLast(claim);
            }
            else
            {
                claim.Dispose();
            }

            engine.State.SetReleased();
        }

        sessions.ReleaseAfterClose(); // a reader may have left just before the state was released
    }
}
