using Varve.Commit;
using Varve.Epochs;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Compaction;

/// <summary>
/// The fourth step of a flush: history, log, counters and budget take in the flush. Under the gate, before the switch:
/// after the switch another thread may recycle the memtable's segment.
/// </summary>
internal sealed class FlushCompletion(
    EngineContext engine, VersionSet versions, History history, WalWriter wal, MemtableSupply supply, WalSyncer syncer,
    ChunkBuffers buffers)
{
    /// <summary>
    /// Adds the version that the change replaces to the history, drops the memtable's segment from the log, and reviews
    /// the budget by the memtables that stay.
    /// </summary>
    /// <param name="replaced">The current version.</param>
    /// <param name="change">A flush's, whose manifest record is durable.</param>
    public void ReleaseGateHeld(DbVersion replaced, VersionChange change)
    {
        LockOrder.Gate.AssertHeld();
        var memtable = change.MemtableOut!;
        var last = change.BaseState!.LastIndex;
        engine.Counters.Flushes++; // before the switch: a reading that shows one memtable less counts the flush
        if (replaced.Base.LastIndex < last || memtable.Segment.LastChange != 0)
        {
            // Without newer memtables: a cut that uses this version reads only this memtable and its runs.
            var past = new DbVersion(replaced.Generation, [memtable], replaced.Runs, replaced.Base);
            history.Add(past);
            past.Release();
        }

        history.DropBehind(last, wal.Position.Index);
        replaced.Generation.Snapshots.DropBehindGateHeld(last);
        wal.Drop(memtable.Segment);
        syncer.NoteDurableGateHeld(memtable.Last!.Value.Id);
        supply.ReviewGateHeld(replaced.Memtables[..^1], buffers.Bytes);
        engine.Log.Post(logger => Log.Flushed(logger, last));
    }

    /// <summary>
    /// Drops past versions that no cut needs any more. A flush does so too, but on a full disk no flush ends, and the
    /// tables of past versions may take the space that it lacks.
    /// </summary>
    public void DropOldHistory()
    {
        using (versions.EnterGate()) history.DropBehind(versions.Current.Base.LastIndex, wal.Position.Index);
    }
}
