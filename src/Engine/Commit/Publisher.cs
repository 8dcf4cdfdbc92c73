using Varve.Contract;
using Varve.Epochs;
using Varve.Format;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// Makes applied entries visible. Nothing else calls <see cref="AppliedPosition.Publish"/> (a tidy test holds that).
/// <para>
/// The problem: readers take no lock, so a reader sees an entry from the moment at which the applied position passes
/// the entry's index. Everything that a read of that index needs must be in place before that moment, and under
/// <see cref="Durability.Power"/> the record must be on the device as well.
/// </para>
/// <list type="number">
/// <item>A finished record enters the index, the terms and the outcomes first; the position moves last (I1).</item>
/// <item>Only records that the log has are entered (I2). What entering needs was reserved before the record was
/// finished, so entering does not fail; if it fails all the same, the log has what the memtable lacks, and the failure
/// is latched: an open replays the record.</item>
/// <item>Under <see cref="Durability.Power"/> an append publishes nothing. The sync does, up to the position that it
/// captured before it began (I3).</item>
/// <item>A sync never moves the position backward. A sync that an install or a reset overtook publishes nothing.</item>
/// </list>
/// <para>
/// The obvious design lets every applier publish its own record after the sync that it waited for. Two appliers that
/// one sync serves would then publish in either order and outside the gate, and each would have to find out whether the
/// position has passed its own or the state was replaced. Here the sync publishes once, under the gate, for all that it
/// serves.
/// </para>
/// <para>Threads: one publisher at a time. A writer publishes under the gate; an open before it has readers; a
/// follower's catch-up under its own lock, since a read-only engine has no applier.</para>
/// </summary>
internal sealed class Publisher(EngineContext engine, VersionSet versions, WalWriter wal)
{
    private readonly bool _awaitsSync = engine.Options.Durability == Durability.Power;

    /// <summary>
    /// Enters the operations of a finished record into the memtable's index, adds its terms and outcomes, fills in the
    /// results, and publishes it unless a sync comes first.
    /// </summary>
    /// <param name="buffers">The chunk.</param>
    /// <param name="first">The first new entry.</param>
    /// <param name="count">The number of the chunk's entries.</param>
    /// <param name="operations">The number of the record's operations.</param>
    /// <param name="place">The place of its one operation, if there is one new entry.</param>
    /// <param name="results">Receives the results of new entries.</param>
    public void EnterGateHeld(
        ChunkBuffers buffers, int first, int count, int operations, BlockList.Place place, Span<ApplyResult> results)
    {
        LockOrder.Gate.AssertHeld();
        try
        {
            engine.Allocations?.Invoke(Allocation.AfterSeal);
            IndexGateHeld(buffers, first, count, operations, place);
            var generation = versions.Current.Generation;
            var kinds = engine.Counters.Operations;
            for (var i = first; i < count; i++)
            {
                ref readonly var position = ref buffers.Positions[i];
                generation.Record(position);
                kinds[position.Refused ? EngineCounters.RefusedPlace : (int)buffers.Entries[i].Kind]++;
                results[i] = new ApplyResult(position.Index, position.Status);
            }

            engine.Counters.EntriesApplied += count - first;
            engine.Counters.ChunksApplied++;
            AppendedGateHeld();
        }
#pragma warning disable CA1031 // The record is in the log: no caller may take any exception for a refusal.
        catch (Exception e)
#pragma warning restore CA1031
        {
            engine.State.Fail(e);
            throw new EngineFaultedException(e);
        }
    }

    /// <summary>Publishes the log's position after an append, unless a sync comes first.</summary>
    public void AppendedGateHeld()
    {
        LockOrder.Gate.AssertHeld();
        if (_awaitsSync) return;
        var generation = versions.Current.Generation;
        generation.Applied.Publish(wal.Position, wal.Mark);
        generation.Log.Publish(wal.Active, wal.Active.End);
        engine.Changes.Raise();
    }

    /// <summary>Publishes what a sync has made durable, if publication waits for syncs.</summary>
    public void SyncedGateHeld(in SyncTicket ticket)
    {
        LockOrder.Gate.AssertHeld();
        if (!_awaitsSync) return;
        var generation = versions.Current.Generation;
        if (ticket.Position.Index < generation.Applied.Read().Index) return;
        generation.Applied.Publish(ticket.Position, ticket.Mark);
        generation.Log.Publish(ticket.Segments[^1], ticket.End.Offset);
        engine.Changes.Raise();
    }

    /// <summary>
    /// Publishes the position that a replay of the log has reached: at an open, and at a catch-up, which calls this
    /// after the version that has the replayed memtables is current.
    /// </summary>
    /// <param name="generation">The generation.</param>
    /// <param name="position">The position.</param>
    /// <param name="mark">The mark of the outer log there.</param>
    /// <param name="last">The log's last segment, replayed to its end.</param>
    public static void Recovered(
        StateGeneration generation, in LogPosition position, in LogMark mark, WalSegment last)
    {
        if (position != generation.Applied.Read(out var published) || mark != published)
            generation.Applied.Publish(position, mark);
        generation.Log.Publish(last, last.End);
    }

    private void IndexGateHeld(ChunkBuffers buffers, int first, int count, int operations, BlockList.Place place)
    {
        LockOrder.Gate.AssertHeld();
        var index = versions.Current.Memtables[0].Index;
        for (var i = first; i < count; i++)
            if (buffers.References[i] is { IsNone: false } reference) index.InsertExact(reference, buffers.Hashes[i]);
        if (operations == 1) index.InsertOrderedAt(place, buffers.Operations[0]);
        else index.InsertOrdered(buffers.Operations.AsSpan(0, operations));
    }
}
