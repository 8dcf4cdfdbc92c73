using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using Varve.Format;
using Varve.Memory;
using Varve.Runtime;
using Varve.Snapshots;
using Varve.Storage;
using Varve.Versions;
using Varve.Wal;

namespace Varve;

public sealed partial class LsmStateMachine
{
    /// <summary>For how long a snapshot waits for a flush: several times what one takes. Behind a long compaction it is not worth waiting for.</summary>
    private static readonly TimeSpan FlushWaitMax = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException"><paramref name="lastIncluded"/> is not an applied entry, or not within <see cref="EngineOptions.HistoryEntries"/>.</exception>
    /// <exception cref="IOException">The directory is not empty, or the disk failed; nothing is left behind.</exception>
    /// <remarks>
    /// A read-only engine makes snapshots too; it writes nothing to the database, so <see cref="SnapshotMetadata"/> is as it was.
    /// A snapshot on another disk needs no space on the database's. If that one is full, <see cref="SnapshotMetadata"/> has the new snapshot at once, and
    /// durably with the next flush; a process that dies before opens with the earlier one.
    /// </remarks>
    public Task<ReadOnlyMemory<byte>> GenerateSnapshotDataAsync(
        string newSnapshotDirectory, LogId lastIncluded, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(newSnapshotDirectory);
        cancellationToken.ThrowIfCancellationRequested();
        // Now, on the caller's thread and without the gate: appliers go on, and the history behind them is short.
        EnsureTerm(lastIncluded, nameof(lastIncluded));
        var version = AcquireVersionAt(lastIncluded);
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(newSnapshotDirectory));
        return Cut();

        async Task<ReadOnlyMemory<byte>> Cut()
        {
            var begun = false;
            try
            {
                return await _operations.RunDeferrable(
                    "Varve snapshot",
                    token =>
                    {
                        begun = true;
                        return Generate(version, target, lastIncluded, token);
                    },
                    cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                if (!begun) version.Release();
            }
        }
    }

    /// <inheritdoc/>
    /// <exception cref="SnapshotRejectedException">It is not what <paramref name="metadata"/> says, not intact, or older than the present state.</exception>
    /// <exception cref="UnsupportedFormatException">It is intact, and a newer build's.</exception>
    /// <exception cref="OutOfMemoryException">There is no memory for the new state; the old one goes on.</exception>
    /// <exception cref="ArgumentException"><paramref name="metadata"/> is of index 0 and of another term than 0.</exception>
    public async Task ApplySnapshotFromFileAsync(SnapshotMetadata metadata, string snapshotPath, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentException.ThrowIfNullOrEmpty(snapshotPath);
        _state.EnsureMutable();
        EnsureTerm(metadata.LastIncluded, nameof(metadata));
        metadata = metadata with { Checksum = metadata.Checksum.ToArray() }; // the caller's memory is read once, and not kept
        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(snapshotPath));
        RejectOlder(metadata, path, LastApplied.Index);
        _clock.ReadLocalIfUsed(); // the user's clock: on the user's thread
        await _operations.Run(token => InstallAsync(metadata, path, token), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task ResetAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _state.EnsureMutable();
        return _operations.Run(
            token =>
            {
                token.ThrowIfCancellationRequested();
                // Operations run one at a time, and nothing else changes what a database is for life.
                var life = _versions.Current.Incarnation;
                Switch(MachineState.Empty(life.HashSeed, life.LeaseClock), [], [], null, _ => { });
                _log.Post(Log.WasReset);
                return Task.FromResult(true);
            },
            cancellationToken);
    }

    private Versions.Version AcquireVersionAt(LogId lastIncluded)
    {
        var slot = _sessions.Enter();
        try
        {
            while (true)
            {
                _state.EnsureNotFaulted();
                var current = _sessions.ReadPoint(out LogPosition applied);
                if (lastIncluded.Index > applied.Index)
                    throw new ArgumentOutOfRangeException(nameof(lastIncluded), lastIncluded, $"Entry {lastIncluded.Index} is not applied yet; the last applied one is {applied.Index}.");
                var term = lastIncluded.Index == applied.Index ? applied.Term : current.Incarnation.Terms.Find(lastIncluded.Index);
                if (lastIncluded.Index > 0 && term != lastIncluded.Term)
                    throw new ArgumentException($"Index {lastIncluded.Index} has {(term is null ? "no entry or no known term" : $"term {term}")}, not term {lastIncluded.Term}.", nameof(lastIncluded));
                var isTooFar = applied.Index - lastIncluded.Index > (ulong)_options.HistoryEntries;
                if (!isTooFar && _history.TryAcquire(current, lastIncluded.Index) is { } version) return version;
                if (current != _versions.Current) continue; // an install or a reset came between, or a flush
                throw new ArgumentOutOfRangeException(
                    nameof(lastIncluded), lastIncluded,
                    $"Entry {lastIncluded.Index} is too far behind {applied.Index}: {nameof(EngineOptions.HistoryEntries)} is {_options.HistoryEntries}, and history begins anew at open.");
            }
        }
        finally
        {
            _sessions.Leave(slot);
        }
    }

    /// <summary>
    /// Passes on to the version that flushes make of this one as long as they write nothing beyond the index: their tables are linked then, where a
    /// cut from the memtables would write the same rows again beside them. Best effort: where a flush does not come, or one too many did, the cut
    /// is made from the memtables that are held.
    /// </summary>
    private void AwaitFlushes(ref Versions.Version version, ulong index, CancellationToken token)
    {
        while (version.Memtables is [_, .., var oldest] && oldest.Last!.Value.Index <= index)
        {
            var start = Stopwatch.GetTimestamp();
            try
            {
                _jobs.WaitForFlush(oldest, () => token.IsCancellationRequested || _state.HasEnded || Stopwatch.GetElapsedTime(start) > FlushWaitMax);
            }
            catch (IOException e) when (Shortage.IsMet(e))
            {
                return; // the database's disk is full; the snapshot's may be another
            }

            token.ThrowIfCancellationRequested();
            var next = _versions.AcquireCurrent();
            var isSame = next.Incarnation == version.Incarnation && next.Base.LastIndex <= index && next.Memtables[^1] != oldest;
            (isSame ? version : next).Release();
            if (!isSame) return;
            version = next;
        }
    }

    private ReadOnlyMemory<byte> Generate(Versions.Version version, string target, LogId lastIncluded, CancellationToken token)
    {
        try
        {
            if (!_options.ReadOnly) AwaitFlushes(ref version, lastIncluded.Index, token);
            var position = SnapshotBuilder.PositionAt(version, lastIncluded.Index);
            // An index that was jumped over has the position of the entry before it, under its own name.
            position = position with { Index = lastIncluded.Index, Term = lastIncluded.Term };
            var live = Census.CountAt(version, lastIncluded.Index);
            MachineState state;
            using (_versions.EnterGate())
            {
                state = DescribeLocked(version.Incarnation, position, version.CleanedAt(lastIncluded.Index), live, version.Base.CountedTimeMs) with { Snapshot = null };
            }

            // A read-only engine has no numbers to give: they are the writer's. Its tail is a table of nobody else's.
            var (origin, numbers) = _options.ReadOnly ? (Guid.NewGuid(), new FileNumbers(1)) : (_versions.DatabaseId, _versions.Numbers);
            var builder = new SnapshotBuilder(_versions.Storage, _versions.DatabaseId, origin, numbers, _options, version, lastIncluded.Index, token);
            var checksum = builder.Build(target, state, out var tables);
            _counters.AddSnapshotBytes(builder.BytesWritten);
            var count = tables;
            _log.Post(logger => Log.SnapshotMade(logger, lastIncluded.Index, target, count));
            if (_options.ReadOnly) return checksum;
            try
            {
                RecordSnapshot(version.Incarnation, new SnapshotMetadata(lastIncluded, checksum));
            }
            catch
            {
                builder.Discard(); // a call that fails leaves nothing behind
                throw;
            }

            return checksum;
        }
        finally
        {
            version.Release();
        }
    }

    /// <summary>Remembers the last snapshot made, unless the state is another by now.</summary>
    private void RecordSnapshot(Incarnation incarnation, SnapshotMetadata metadata)
    {
        using (_versions.EnterGate())
        {
            if (_state.IsClosed || _versions.Current.Incarnation != incarnation) return;
            try
            {
                NoteSnapshotLocked(metadata);
            }
            catch (IOException e) when (Shortage.IsMet(e))
            {
                // The snapshot is whole, and on another disk. The next flush's manifest record has what the log has no room for.
                if (_snapshots.IsNext(metadata)) _snapshots.AddLocked(metadata);
                return;
            }
        }

        _syncer.SyncAll();
    }

    private async Task<bool> InstallAsync(SnapshotMetadata metadata, string path, CancellationToken token)
    {
        var stager = new SnapshotStager(_versions, _options, token);
        var staged = await stager.StageAsync(metadata, path).ConfigureAwait(false);
        try
        {
            token.ThrowIfCancellationRequested();
            var state = staged.Manifest.State;
            if (_options.LeaseClock == LeaseClock.Local) state = new LeaseAdoption(_versions, _options).Adopt(state, _clock.SeenLocal, ref staged);
            if (state.LiveCount < 0) throw new SnapshotRejectedException(path, "snapshot counts fewer live keys than leases that have expired since");
            state = state with
            {
                LocalTimeMs = 0, // another machine's clock
                Snapshot = (metadata.LastIncluded.Index, metadata.LastIncluded.Term, metadata.Checksum.ToArray()),
            };
            Switch(state, staged.Tables, staged.Runs, metadata, applied => RejectOlder(metadata, path, applied));
        }
        catch (Exception e) when (e is not EngineFaultedException)
        {
            stager.Discard(staged);
            throw;
        }
        catch
        {
            // The manifest may name the tables by now: the next open keeps them or sweeps them.
            SnapshotStager.Release(staged);
            throw;
        }

        _counters.AddSnapshotBytes(staged.Tables.Sum(table => table.Table.Length));
        SnapshotStager.Release(staged);
        _log.Post(logger => Log.SnapshotInstalled(logger, metadata.LastIncluded.Index, path));
        return true;
    }

    /// <summary>
    /// Replaces the whole state in one manifest record: the old one serves up to it, the new one from it on. All memory is taken before the
    /// record: want of it is an ordinary error, and the old state goes on.
    /// </summary>
    private void Switch(MachineState state, AddedTable[] tables, Run[] runs, SnapshotMetadata? snapshot, Action<ulong> check)
    {
        Memtable? memtable = null;
        var isWriting = false;
        try
        {
            _options.Allocations?.Invoke(Allocation.State);
            var incarnation = new Incarnation(state, _options.HistoryEntries + EngineOptions.OutcomesKept, _options.Allocations);
            _versions.CommitHoldingGate(
                old =>
                {
                    _state.EnsureMutable();
                    check(_wal.Position.Index);
                    memtable = TakeMemtableLocked(WalWriter.NoteSize(24), filled: null);
                    _options.Allocations?.Invoke(Allocation.State);
                    _history.ReserveClear();
                    _snapshots.ReserveLocked();
                    var edit = new VersionEdit { Replace = true, NextFileNumber = 0, FirstSegment = memtable.Segment.Number, State = state, Added = tables };
                    return (edit, new Versions.Version(incarnation, [memtable], runs, state));
                },
                (old, next) =>
                {
                    _options.Allocations?.Invoke(Allocation.AfterSeal);
                    _wal.Restart(memtable!.Segment, next.Incarnation.Applied.Read());
                    foreach (var past in old.Memtables) past.MarkObsolete();
                    foreach (var run in old.Runs)
                        foreach (var table in run.Tables) table.MarkObsolete(_versions.Spares);
                    _history.Clear();
                    (_cleanedTime, _visitedTime) = (state.CleanedTimeMs, 0);
                    _snapshots.RestartLocked(snapshot);
                    _syncer.RestartLocked(new LogId(state.LastIndex, state.LastTerm));
                },
                ref isWriting);
        }
        catch (Exception e) when (Shortage.IsMet(e) || (e is OutOfMemoryException && !isWriting))
        {
            memtable?.MarkObsolete(); // the manifest is as it was, and nothing names the segment
            throw;
        }
        catch (Exception e) when (e is not (SnapshotRejectedException or EngineFaultedException or InvalidOperationException))
        {
            // The manifest may or may not hold the record, and name the segment: only a new open can tell.
            _state.Fail(e);
            throw new EngineFaultedException(e);
        }
        finally
        {
            memtable?.Release();
        }

        _background!.Wake();
        _syncer.Wake();
    }

    /// <summary>Records a snapshot in the log, unless a later one is recorded.</summary>
    private void NoteSnapshotLocked(SnapshotMetadata metadata)
    {
        if (!_snapshots.IsNext(metadata)) return;
        // The checksum is the engine's copy by now: the caller's memory is not kept.
        Span<byte> payload = stackalloc byte[16 + SHA256.HashSizeInBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(payload, metadata.LastIncluded.Index);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[8..], metadata.LastIncluded.Term);
        metadata.Checksum.Span.CopyTo(payload[16..]);
        ReserveLocked(WalWriter.NoteSize(payload.Length));
        _wal.AppendNote(WalRecordType.Snapshot, payload, _wal.Position);
        _snapshots.AddLocked(metadata);
    }

    /// <summary>Before the first entry there is no term.</summary>
    private static void EnsureTerm(LogId lastIncluded, string name)
    {
        if (lastIncluded is { Index: 0, Term: not 0 }) throw new ArgumentException($"Index 0 has term 0, not {lastIncluded.Term}.", name);
    }

    private static void RejectOlder(SnapshotMetadata metadata, string path, ulong applied)
    {
        if (metadata.LastIncluded.Index < applied)
            throw new SnapshotRejectedException(path, $"snapshot ends at entry {metadata.LastIncluded.Index}, below the applied entry {applied}");
    }
}
