using Varve.Epochs;

namespace Varve.Versions;

/// <summary>
/// The last snapshot made or installed, and the ones before it that a flush may still have to name: the state that a
/// flush writes ends before the last applied entry, and after a power loss it may be all there is, so that it names the
/// last snapshot up to its own end. Changed under the engine's gate; <see cref="Last"/> is read by any thread.
/// </summary>
internal sealed class SnapshotRecords
{
    private readonly List<SnapshotMetadata> _ascending = [];
    private SnapshotMetadata? _last;

    public SnapshotRecords(SnapshotMetadata? last) => Restart(last);

    public SnapshotMetadata? Last => Volatile.Read(ref _last);

    /// <summary>Whether a snapshot is not older than the last one: the last one never goes back.</summary>
    public bool IsNext(SnapshotMetadata snapshot) =>
        Last is not { } last || snapshot.LastIncluded.Index >= last.LastIncluded.Index;

    /// <summary>Takes one that <see cref="IsNext"/>.</summary>
    public void AddGateHeld(SnapshotMetadata snapshot)
    {
        LockOrder.Gate.AssertHeld();
        _ascending.Add(snapshot);
        Volatile.Write(ref _last, snapshot);
    }

    /// <summary>Begins anew, with what the log tells after the state that it began with.</summary>
    public void RestartGateHeld(SnapshotMetadata? last)
    {
        LockOrder.Gate.AssertHeld();
        Restart(last);
    }

    /// <summary>The last one up to an index.</summary>
    public SnapshotMetadata? UpToGateHeld(ulong index)
    {
        LockOrder.Gate.AssertHeld();
        return _ascending.FindLast(snapshot => snapshot.LastIncluded.Index <= index);
    }

    /// <summary>Forgets the ones that no state at or after an index names.</summary>
    public void TrimGateHeld(ulong index)
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
