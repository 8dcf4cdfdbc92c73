using Varve.Contract;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// Publication: from here on readers see what was applied. A record that is in the log is entered into the memtable's
/// index first, and then the applied position moves; under <see cref="Durability.Power"/> not before the sync that
/// makes the record durable. Under the gate.
/// </summary>
internal sealed class Publisher(EngineContext engine, VersionSet versions, WalWriter wal)
{
    private readonly bool _awaitsSync = engine.Options.Durability == Durability.Power;

    /// <summary>
    /// Indexes the sealed record's operations, remembers outcomes and terms, and publishes unless a sync comes first.
    /// All that it needs was reserved before the seal. If it fails all the same, the log has what the memtable lacks:
    /// only a new open can mend that.
    /// </summary>
    /// <param name="scratch">The chunk.</param>
    /// <param name="place">The place of its one operation, if it has only one.</param>
    /// <param name="first">The first new entry.</param>
    /// <param name="fresh">How many entries are new.</param>
    /// <param name="results">Receives their results.</param>
    public void EnterLocked(
        ChunkBuffers scratch, BlockList.Place place, int first, int fresh, Span<ApplyResult> results)
    {
        try
        {
            engine.Options.Allocations?.Invoke(Allocation.AfterSeal);
            IndexLocked(scratch, place, fresh);
            var generation = versions.Current.Generation;
            for (var i = 0; i < fresh; i++)
            {
                ref readonly var position = ref scratch.Positions[i];
                generation.Note(position);
                results[first + i] = new ApplyResult(position.Index, position.Status);
            }

            engine.Counters.EntriesApplied += fresh;
            engine.Counters.ChunksApplied++;
            PublishLocked();
        }
#pragma warning disable CA1031 // Whatever it is, the record is in the log and nobody may take it for refused.
        catch (Exception e)
#pragma warning restore CA1031
        {
            engine.State.Fail(e);
            throw new EngineFaultedException(e);
        }
    }

    /// <summary>Publishes the log's position, unless a sync comes first.</summary>
    public void PublishLocked()
    {
        if (!_awaitsSync) versions.Current.Generation.Applied.Publish(wal.Position);
    }

    /// <summary>Publishes the position that a sync has made durable, where publication waits for that.</summary>
    public void PublishSyncedLocked(in LogPosition position)
    {
        var applied = versions.Current.Generation.Applied;
        if (_awaitsSync && position.Index >= applied.Read().Index) applied.Publish(position);
    }

    private void IndexLocked(ChunkBuffers scratch, BlockList.Place place, int fresh)
    {
        var index = versions.Current.Memtables[0].Index;
        var operations = 0;
        for (var i = 0; i < fresh; i++)
        {
            var reference = scratch.References[i];
            if (reference == 0) continue;
            index.InsertExact(reference, scratch.Hashes[i]);
            scratch.References[operations++] = reference;
        }

        if (operations == 1) index.InsertOrderedAt(place, scratch.References[0]);
        else index.InsertOrdered(scratch.References.AsSpan(0, operations));
    }
}
