using Varve.Contract;
using Varve.Epochs;
using Varve.Format;
using Varve.Memtables;
using Varve.Runtime;
using Varve.Storage;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// Makes room for a record: if the segment or the index lacks it, the log continues in the next memtable's segment.
/// Used under the gate.
/// </summary>
internal sealed class MemtableRotation(
    EngineContext engine, VersionSet versions, WalWriter wal, MemtableSupply supply, WalSyncer syncer,
    ChunkBuffers buffers)
{
    /// <summary>
    /// Makes room for a record in the log and for its operations in the index, in the next memtable if necessary. If
    /// disk, memory or descriptors are short, it throws before anything has changed.
    /// </summary>
    public void ReserveGateHeld(long length, int operations = 0)
    {
        LockOrder.Gate.AssertHeld();
        length += WalWriter.ClosingBytes;
        if (length > wal.FreeBytes || !versions.Current.Memtables[0].Index.HasRoomFor(operations))
        {
            RotateGateHeld(length + WalMarker.SizeOf(WalRecordType.Link), versions.Current.Memtables[0]);
        }
        else if (supply.AwaitsLoad && wal.FreeBytes - length < wal.Active.Length / 4 * 3)
        {
            supply.Expect(versions.Current.Memtables[0]);
            syncer.Wake();
        }
    }

    /// <summary>True if a record has no room, and a memtable would have to be made for it.</summary>
    public bool MustMakeGateHeld(long length, int operations)
    {
        LockOrder.Gate.AssertHeld();
        length += WalWriter.ClosingBytes;
        return (length > wal.FreeBytes || !versions.Current.Memtables[0].Index.HasRoomFor(operations))
            && !supply.HasRoom(length + WalMarker.SizeOf(WalRecordType.Link));
    }

    /// <summary>
    /// Rotates to the next memtable; <paramref name="filled"/> is the current one if it is full, else null.
    /// </summary>
    public void RotateGateHeld(long room, Memtable? filled)
    {
        LockOrder.Gate.AssertHeld();
        var isStall = !supply.IsReady;
        var start = engine.Telemetry.Now();
        if (isStall) engine.Counters.SegmentStalls++;
        var version = versions.Current;
        var memtable = NextMemtableGateHeld(room, filled);
        if (isStall && engine.Telemetry.Since(start) is var waited && waited >= WriteThrottle.StallLoggedAfter)
            LogStall(waited, version.Memtables.Length - 1);
        var next = PrepareGateHeld(version, memtable);
        try
        {
            version.Memtables[0].Seal(wal.Position, wal.Mark);
            wal.Rotate(memtable.Segment);
            versions.SwitchGateHeld(next);
        }
#pragma warning disable CA1031 // After any exception the log continues in a segment that no version has.
        catch (Exception e)
#pragma warning restore CA1031
        {
            engine.State.Fail(e);
            throw new EngineFaultedException(e);
        }

        memtable.Release();
        engine.BackgroundWake.Set();
        syncer.Wake();
        supply.ReviewGateHeld(next.Memtables, buffers.Bytes);
    }

    /// <summary>Apart, since its closure is an allocation. Never throws: the caller has a memtable.</summary>
    private void LogStall(TimeSpan waited, int waiting)
    {
        try
        {
            engine.Log.Post(logger => Log.Stalled(logger, waited.TotalSeconds, "segment", waiting));
        }
        catch (OutOfMemoryException)
        {
        }
    }

    /// <summary>An empty memtable with room for a record; the caller's one reference.</summary>
    public Memtable NextMemtableGateHeld(long room, Memtable? filled)
    {
        LockOrder.Gate.AssertHeld();
        try
        {
            return supply.Next(room, filled);
        }
        catch (IOException e) when (!Shortage.IsMet(e))
        {
            // The outcome of a rename or a sync is unknown: an open finds out.
            engine.State.Fail(e);
            throw new EngineFaultedException(e);
        }
    }

    /// <summary>Takes all memory of a rotation before the log changes.</summary>
    private DbVersion PrepareGateHeld(DbVersion version, Memtable memtable)
    {
        LockOrder.Gate.AssertHeld();
        try
        {
            engine.Allocations?.Invoke(Allocation.Version);
            wal.ReserveRotation();
            return new DbVersion(version.Generation, [memtable, .. version.Memtables], version.Runs, version.Base);
        }
        catch
        {
            memtable.ReleaseTo(supply.Segments.Recycle);
            throw;
        }
    }
}
