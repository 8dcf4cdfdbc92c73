using System.Security.Cryptography;
using Varve.Format;
using Varve.Wal;

namespace Varve;

// What the contract asks beside applying, reading and snapshots: the applied position, the snapshot's metadata, syncs.
public sealed partial class LsmStateMachine
{
    /// <inheritdoc/>
    /// <remarks>The move is logged like a chunk, so closing without <see cref="Stop"/> does not lose it.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The index or the term goes back.</exception>
    public void UpdateLastApplied(LogId lastApplied)
    {
        LogOffset end;
        using (_versions.EnterGate())
        {
            _state.EnsureMutable();
            var position = _wal.Position;
            if (lastApplied.Index < position.Index || lastApplied.Term < position.Term || (lastApplied.Index == position.Index && lastApplied.Term != position.Term))
                throw new ArgumentOutOfRangeException(nameof(lastApplied), lastApplied, $"The applied position is {position.Id}; it only moves forward.");
            if (lastApplied.Index == position.Index) return;
            ReserveLocked(WalWriter.NoteSize(0));
            var incarnation = _versions.Current.Incarnation;
            incarnation.ReserveJump();
            _wal.AppendNote(WalRecordType.Advance, [], position with { Index = lastApplied.Index, Term = lastApplied.Term });
            incarnation.NoteJump(lastApplied.Index, lastApplied.Term);
            if (_options.Durability != Durability.Power) incarnation.Applied.Publish(_wal.Position);
            end = new LogOffset(_wal.Active.Number, _wal.Active.End);
        }

        if (_options.Durability == Durability.Power) WaitDurable(end);
    }

    /// <inheritdoc/>
    /// <inheritdoc cref="UpdateLastApplied" path="/exception"/>
    public void PersistLastApplied(LogId lastApplied)
    {
        UpdateLastApplied(lastApplied);
        _syncer.SyncAll();
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The checksum is not 32 bytes, or the snapshot is of index 0 and of another term than 0.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The snapshot's last entry is not applied.</exception>
    public void UpdateLastSnapshotMetadata(SnapshotMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        if (metadata.Checksum.Length != SHA256.HashSizeInBytes)
            throw new ArgumentException($"The checksum has {metadata.Checksum.Length} bytes; SHA-256 has {SHA256.HashSizeInBytes}.", nameof(metadata));
        EnsureTerm(metadata.LastIncluded, nameof(metadata));
        metadata = metadata with { Checksum = metadata.Checksum.ToArray() }; // the caller's memory is read once, and not kept
        using (_versions.EnterGate())
        {
            _state.EnsureMutable();
            var applied = _versions.Current.Incarnation.Applied.Read().Id;
            if (metadata.LastIncluded.Index > applied.Index)
                throw new ArgumentOutOfRangeException(nameof(metadata), metadata.LastIncluded, $"The snapshot ends above the last applied entry, {applied}.");
            NoteSnapshotLocked(metadata);
        }
    }

    /// <inheritdoc/>
    /// <inheritdoc cref="UpdateLastSnapshotMetadata" path="/exception"/>
    public void PersistLastSnapshotMetadata(SnapshotMetadata metadata)
    {
        UpdateLastSnapshotMetadata(metadata);
        _syncer.SyncAll();
    }

    /// <inheritdoc/>
    public void SaveHardState() => Flush();

    /// <inheritdoc/>
    public void Flush()
    {
        _state.EnsureMutable();
        _syncer.SyncAll();
    }

    /// <inheritdoc/>
    public Task FlushAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        LogOffset end;
        using (_versions.EnterGate())
        {
            _state.EnsureMutable();
            end = new LogOffset(_wal.Active.Number, _wal.Active.End);
            if (!(end > _wal.Synced)) return Task.CompletedTask;
        }

        return _syncer.WaitAsync(end).WaitAsync(cancellationToken);
    }
}
