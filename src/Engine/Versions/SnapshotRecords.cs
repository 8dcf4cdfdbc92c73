using Varve.Epochs;

namespace Varve.Versions;

/// <summary>
/// The last snapshot that was made or installed, and earlier ones that a flush may still name. A flush writes the state
/// as of its own end, which is before the last applied entry; after a power loss that may be all there is. So it names
/// the last snapshot up to its end. Written under the gate; any thread reads <see cref="Last"/>.
/// </summary>
internal sealed class SnapshotRecords
{
    private readonly List<SnapshotMetadata> _ascending = [];
    private SnapshotMetadata? _last;

    public SnapshotRecords(SnapshotMetadata? last) => Restart(last);

    /// <summary>The last snapshot; null if there is none.</summary>
    public SnapshotMetadata? Last => Volatile.Read(ref _last);

    /// <summary>True if a snapshot is not older than the last one, which never goes back.</summary>
    public bool IsNext(SnapshotMetadata snapshot) =>
        Last is not { } last || snapshot.LastIncluded.Index >= last.LastIncluded.Index;

    /// <summary>Makes a snapshot the last one. It <see cref="IsNext"/>.</summary>
    public void AddGateHeld(SnapshotMetadata snapshot)
    {
        LockOrder.Gate.AssertHeld();
        _ascending.Add(snapshot);
        Volatile.Write(ref _last, snapshot);
    }

    /// <summary>Drops all records, and begins with one that the log has, or with none.</summary>
    public void RestartGateHeld(SnapshotMetadata? last)
    {
        LockOrder.Gate.AssertHeld();
        Restart(last);
    }

    /// <summary>The last snapshot whose index is at or below another; null if there is none.</summary>
    public SnapshotMetadata? UpToGateHeld(ulong index)
    {
        LockOrder.Gate.AssertHeld();
        return _ascending.FindLast(snapshot => snapshot.LastIncluded.Index <= index);
    }

    /// <summary>Drops the records that no state at or after an index names.</summary>
    public void DropBehindGateHeld(ulong index)
    {
        LockOrder.Gate.AssertHeld();
        var last = _ascending.FindLastIndex(snapshot => snapshot.LastIncluded.Index <= index);
        _ascending.RemoveRange(0, Math.Max(0, last));
    }

    private void Restart(SnapshotMetadata? last)
    {
        _ascending.Clear();
        if (last is not null) _ascending.Add(last);
        Volatile.Write(ref _last, last);
    }
}
