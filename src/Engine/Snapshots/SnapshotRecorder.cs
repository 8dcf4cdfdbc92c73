using System.Security.Cryptography;
using Varve.Commit;
using Varve.Epochs;
using Varve.Format;
using Varve.Runtime;
using Varve.Storage;
using Varve.Versions;

namespace Varve.Snapshots;

/// <summary>
/// Records the last snapshot in the log and in the state's generation. It never goes back. Any thread.
/// </summary>
internal sealed class SnapshotRecorder(
    EngineContext engine, VersionSet versions, CommitPipeline commit, WalSyncer syncer)
{
    /// <summary>
    /// Records a snapshot that was made, unless an install or a reset has replaced the state since. Durable on return.
    /// </summary>
    public void RecordMade(StateGeneration generation, SnapshotMetadata metadata)
    {
        using (versions.EnterGate())
        {
            if (engine.State.IsClosed || versions.Current.Generation != generation) return;
            try
            {
                AddGateHeld(metadata);
            }
            catch (IOException e) when (Shortage.IsMet(e))
            {
                // The snapshot is durable on another disk. The log has no space for the marker; the manifest record of
                // the next flush has the metadata.
                if (generation.Snapshots.IsNext(metadata)) generation.Snapshots.AddGateHeld(metadata);
                return;
            }
        }

        syncer.SyncAll();
    }

    /// <summary>Records a snapshot that the caller announces; not durable before the next sync.</summary>
    public void Record(SnapshotMetadata metadata)
    {
        if (metadata.Checksum.Length != SHA256.HashSizeInBytes)
            throw new ArgumentException(
                $"The checksum has {metadata.Checksum.Length} bytes; SHA-256 has {SHA256.HashSizeInBytes}.",
                nameof(metadata));
        SnapshotService.EnsureTerm(metadata.LastIncluded, nameof(metadata));
        // The caller's memory is read once and not kept.
        metadata = metadata with { Checksum = metadata.Checksum.ToArray() };
        using (versions.EnterGate())
        {
            engine.State.EnsureMutable();
            var applied = versions.Current.Generation.Applied.Read().Id;
            if (metadata.LastIncluded.Index > applied.Index)
                throw new ArgumentOutOfRangeException(
                    nameof(metadata), metadata.LastIncluded,
                    $"The snapshot ends above the last applied entry, {applied}.");
            AddGateHeld(metadata);
        }
    }

    /// <summary>Records a snapshot in the log, unless a later one is recorded already.</summary>
    private void AddGateHeld(SnapshotMetadata metadata)
    {
        LockOrder.Gate.AssertHeld();
        var snapshots = versions.Current.Generation.Snapshots;
        if (!snapshots.IsNext(metadata)) return;
        // The checksum is the engine's copy.
        Span<byte> payload = stackalloc byte[SnapshotMarker.Size];
        new SnapshotMarker(metadata.LastIncluded.Index, metadata.LastIncluded.Term, metadata.Checksum.Span)
            .Write(payload);
        commit.AppendMarkerGateHeld(WalRecordType.Snapshot, payload);
        snapshots.AddGateHeld(metadata);
    }
}
