using Varve.Commit;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Compaction;

/// <summary>
/// What a flush changes beside the version: the history, the log, the memory budget. Under the gate, before the switch.
/// </summary>
internal sealed class FlushCompletion(
    EngineContext engine, VersionSet versions, History history, WalWriter wal, MemtableSupply supply, WalSyncer syncer,
    ChunkBuffers scratch)
{
    /// <summary>
    /// A flush has made <paramref name="current"/> of <paramref name="replaced"/>, whose oldest memtable was
    /// <paramref name="memtable"/>.
    /// </summary>
    public void CompleteLocked(DbVersion replaced, DbVersion current, Memtable memtable)
    {
        memtable.MarkObsolete();
        engine.Counters.Flushes++; // before the switch: who sees one memtable less sees the flush counted
        if (replaced.Base.LastIndex < current.Base.LastIndex)
        {
            // Without newer memtables: what a cut reads that it serves is in this one or below.
            var past = new DbVersion(replaced.Generation, [memtable], replaced.Runs, replaced.Base);
            history.Add(past);
            past.Release();
        }

        history.Trim(current, wal.Position.Index);
        current.Generation.Snapshots.TrimLocked(current.Base.LastIndex);
        wal.Forget(memtable.Segment);
        syncer.NoteDurableLocked(memtable.Last!.Value.Id);
        supply.ReviewLocked(current.Memtables, scratch.Bytes);
        var index = memtable.Last!.Value.Index;
        engine.Log.Post(logger => Log.Flushed(logger, index));
    }

    /// <summary>
    /// Lets go of the past that no cut needs any more: where there is no room, no flush does that, and its tables may
    /// be the room that is missing.
    /// </summary>
    public void TrimHistory()
    {
        using (versions.EnterGate()) history.Trim(versions.Current, wal.Position.Index);
    }
}
