using Varve.Memory;
using Varve.Storage;
using Varve.Versions;
using Varve.Wal;

namespace Varve;

// Room for a record: where there is none, the log goes on in the next segment, which is the next memtable's.
public sealed partial class LsmStateMachine
{
    /// <summary>
    /// Makes room for a record, and in the index for its operations, in the next memtable if need be. A full disk throws before anything
    /// changed, and so does want of memory or descriptors.
    /// </summary>
    private void ReserveLocked(long length, int operations = 0)
    {
        length += WalWriter.ClosingRoom;
        if (length > _wal.Room || !_versions.Current.Memtables[0].Index.HasRoomFor(operations))
        {
            RotateLocked(length + WalWriter.NoteSize(24), _versions.Current.Memtables[0]);
        }
        else if (_memtables.AwaitsLoad && _wal.Room - length < _wal.Active.Length / 4 * 3)
        {
            _memtables.Expect(_versions.Current.Memtables[0]);
            _syncer.Wake();
        }
    }

    /// <summary>Goes on in the next memtable; <paramref name="filled"/> is the current one if the reason is that it is full.</summary>
    private void RotateLocked(long room, Memtable? filled)
    {
        if (!_memtables.IsReady) _counters.SegmentStalls++;
        var version = _versions.Current;
        var memtable = TakeMemtableLocked(room, filled);
        var next = PrepareRotationLocked(version, memtable);
        try
        {
            version.Memtables[0].Seal(_wal.Position);
            _wal.Rotate(memtable.Segment);
            _versions.SwitchLocked(next);
        }
#pragma warning disable CA1031 // Whatever it is, the log goes on in a segment that no version has.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _state.Fail(e);
            throw new EngineFaultedException(e);
        }

        memtable.Release();
        _background!.Wake();
        _syncer.Wake();
        ReviewMemoryLocked(next);
    }

    /// <summary>All the memory that a rotation takes, before the log knows of it.</summary>
    private Versions.Version PrepareRotationLocked(Versions.Version version, Memtable memtable)
    {
        try
        {
            _options.Allocations?.Invoke(Allocation.Version);
            _wal.ReserveRotation();
            return new Versions.Version(version.Incarnation, [memtable, .. version.Memtables], version.Runs, version.Base);
        }
        catch
        {
            memtable.Abandon(_pool.Recycle);
            throw;
        }
    }

    private Memtable TakeMemtableLocked(long room, Memtable? filled)
    {
        try
        {
            return _memtables.Take(room, filled);
        }
        catch (IOException e) when (!Shortage.IsMet(e))
        {
            // A rename or a sync of which nobody knows how far it got: a new open finds out.
            _state.Fail(e);
            throw new EngineFaultedException(e);
        }
    }
}
