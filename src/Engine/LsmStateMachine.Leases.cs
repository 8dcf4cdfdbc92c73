using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Varve.Compaction;
using Varve.Format;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve;

/// <summary>
/// The clean-up: which expired leases are reported, and when compactions may drop them.
/// <para>
/// One number remembers what was reported: the largest deadline of all reported leases. It is logged before the keys are handed out, and manifests and
/// snapshots carry it as of their index. It is enough because
/// </para>
/// <list type="number">
/// <item>a clean-up at time t reports all leases up to t that are the newest version of their key and after the number;</item>
/// <item>the lease time never runs behind the number, across reopening too, so that every later lease has a later deadline;</item>
/// <item>a compaction drops an expired lease only if it is up to the number, or so old that no clean-up reports it
/// (<see cref="EngineOptions.ExpiredLeaseRetention"/>).</item>
/// </list>
/// The time of the call would not do for the number: a machine whose clock is set back would have to wait for it without need.
/// </summary>
public sealed partial class LsmStateMachine
{
    private readonly Lock _cleaning = new();
    private bool _hasWarned; // under the gate
    private ulong _cleanedTime; // the largest reported deadline; under the gate
    private ulong _visitedTime; // up to here clean-ups of this incarnation have looked; under the gate

    /// <summary>
    /// Returns the keys whose leases have expired, each lease once: whatever was flushed, compacted, reopened, snapshotted or installed in between.
    /// Expired keys are absent everywhere from the moment they expire; this is for whoever has to be told, and compactions drop what was reported.
    /// </summary>
    /// <remarks>
    /// Reported are the leases that expired no longer ago than <see cref="EngineOptions.ExpiredLeaseRetention"/>. Under <see cref="LeaseClock.Log"/>
    /// replicas that call this at the same index report the same keys. Keys are in ascending order. What is reported is logged first; after a crash before the caller
    /// has the answer it is not reported again. With <see cref="Durability.Power"/> that record is durable when the task completes.
    /// </remarks>
    /// <param name="cancellationToken">Honoured before it begins.</param>
    public Task<IReadOnlyList<ReadOnlyMemory<byte>>> LeaseBackgroundCleanupAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _clock.ReadLocalIfUsed(); // the user's clock: before the lock
        List<ReadOnlyMemory<byte>> keys;
        LogOffset end;
        lock (_cleaning)
        {
            while (!TryCleanUp(out keys, out end))
            {
                // The state was replaced meanwhile, or the census has gone past the revision.
            }
        }

        // The order in which they are found tells where they lie, which differs between replicas.
        keys.Sort(static (a, b) => a.Span.SequenceCompareTo(b.Span));
        return _options.Durability == Durability.Power && end != default ? Durably(end, keys) : Task.FromResult<IReadOnlyList<ReadOnlyMemory<byte>>>(keys);

        async Task<IReadOnlyList<ReadOnlyMemory<byte>>> Durably(LogOffset end, List<ReadOnlyMemory<byte>> keys)
        {
            await _syncer.WaitAsync(end).ConfigureAwait(false);
            return keys;
        }
    }

    private bool TryCleanUp(out List<ReadOnlyMemory<byte>> keys, out LogOffset end)
    {
        var found = keys = [];
        end = default;
        var reported = 0UL;
        var slot = _sessions.Enter();
        try
        {
            _state.EnsureWritable();
            var version = CleanUpPoint(out var position, out var from, out var to);
            var isAt = version.Incarnation.Census.TryVisitExpired(version, position.Index, from, to, (key, deadline) =>
            {
                found.Add(key);
                reported = Math.Max(reported, deadline);
            });
            if (!isAt) return false;
            using (_versions.EnterGate())
            {
                _state.EnsureWritable();
                if (_versions.Current.Incarnation != version.Incarnation) return false;
                if (found.Count > 0)
                {
                    Span<byte> payload = stackalloc byte[sizeof(ulong)];
                    BinaryPrimitives.WriteUInt64LittleEndian(payload, reported);
                    ReserveLocked(WalWriter.NoteSize(payload.Length));
                    _wal.AppendNote(WalRecordType.Clean, payload, _wal.Position);
                    _versions.Current.Memtables[0].NoteCleanUp(_wal.Position.Index, reported);
                    _cleanedTime = reported;
                    end = new LogOffset(_wal.Active.Number, _wal.Active.End);
                }

                _visitedTime = Math.Max(_visitedTime, to);
                return true;
            }
        }
        finally
        {
            _sessions.Leave(slot);
        }
    }

    /// <summary>The version, the position and the deadlines that a clean-up looks at: after <paramref name="from"/>, up to <paramref name="to"/>.</summary>
    private Versions.Version CleanUpPoint(out LogPosition position, out ulong from, out ulong to)
    {
        using (_versions.EnterGate())
        {
            var version = _versions.Current;
            position = version.Incarnation.Applied.Read();
            // No chunk is being applied now, so whoever applies later does so at this time or later. What waits for its sync was
            // applied before, and nobody may see it yet: its leases may expire by now, and are left to the next call.
            to = _options.LeaseClock == LeaseClock.Log ? position.LogTimeMs
                : position.Index < _wal.Position.Index ? position.LocalTimeMs : _clock.SeenLocal;
            from = Math.Max(Math.Max(_cleanedTime, _visitedTime), ForgottenTime(to));
            return version;
        }
    }

    /// <summary>Leases up to this deadline are not reported any more at a time.</summary>
    private ulong ForgottenTime(ulong timeMs)
    {
        if (_options.ExpiredLeaseRetention == Timeout.InfiniteTimeSpan) return 0;
        var retention = (ulong)_options.ExpiredLeaseRetention.TotalMilliseconds;
        return timeMs > retention ? timeMs - retention : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong DeadlineOf(ulong timeMs, ulong ttlSeconds)
    {
        var milliseconds = Math.BigMul(ttlSeconds, 1000, out var low);
        return milliseconds != 0 || low > ulong.MaxValue - timeMs ? ulong.MaxValue : timeMs + low;
    }

    /// <summary>Says once that leases cannot expire: one was written by the log's clock, which has not begun.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WarnOnceLocked()
    {
        if (_options.LeaseClock != LeaseClock.Log || _hasWarned) return;
        _hasWarned = true;
        _log.Post(Log.LeaseWithoutTime);
    }

    private static bool HasLeases(Versions.Version version) => version.Runs.Any(run => run.Tables.Any(table => table.Descriptor.LeaseCount > 0));

    /// <summary>Whether a flush, though it writes no rows, lets a compaction drop more leases: the tables' state is behind in what was reported, or in time.</summary>
    private bool IsBehindForLeasesLocked(Versions.Version version) =>
        HasLeases(version)
        && (_cleanedTime > version.Base.CleanedTimeMs || (_options.LeaseClock == LeaseClock.Log && _wal.Position.LogTimeMs > version.Base.LogTimeMs));

    ulong ITableJobsHost.DropTime(Versions.Version version)
    {
        if (!HasLeases(version)) return 0;
        // As of the base: cuts at it or after it are still to be exact, in what they show and in what their clean-up reports.
        var now = _options.LeaseClock == LeaseClock.Log ? version.Base.LogTimeMs : _clock.SeenLocal;
        var time = Math.Max(version.Base.CleanedTimeMs, ForgottenTime(now));
        var census = version.Incarnation.Census;
        var fold = _sessions.AcquirePoint(out var position);
        try
        {
            // Most of it, without holding appliers. The count is the state's: a merge of a state that was replaced touches no other's.
            if (fold.Incarnation == version.Incarnation) census.TryCount(fold, position.Index, 0, out _);
        }
        finally
        {
            fold.Release();
        }

        using (_versions.EnterGate())
        {
            var current = _versions.Current;
            if (current.Incarnation != version.Incarnation) return 0; // what is merged is let go of
            // A memtable sealed by now may have been counted to its end at an earlier time, and is to be flushed as such.
            if (current.Memtables.Length > 1) return Math.Min(time, current.Base.CountedTimeMs);
            return census.TryCount(current, current.Incarnation.Applied.Read().Index, time, out _) ? time : 0;
        }
    }
}
