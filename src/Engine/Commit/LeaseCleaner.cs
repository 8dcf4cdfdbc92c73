using Varve.Epochs;
using Varve.Format;
using Varve.LiveKeys;
using Varve.Reading;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// The clean-up: finds, logs and reports the keys whose leases have expired, each lease once.
/// <para>
/// One number remembers what was reported: the largest deadline of all reported leases. It is logged before the keys
/// are handed out, and manifests and snapshots carry it as of their index. It is enough because
/// </para>
/// <list type="number">
/// <item>a clean-up at time t reports all leases up to t that are the newest version of their key and after the
/// number;</item>
/// <item>the lease time never runs behind the number, across reopening too, so that every later lease has a later
/// deadline;</item>
/// <item>a compaction drops an expired lease only if it is up to the number, or so old that no clean-up reports it
/// (<see cref="EngineOptions.ExpiredLeaseRetention"/>).</item>
/// </list>
/// The time of the call would not do for the number: a machine whose clock is set back would have to wait for it
/// without need.
/// </summary>
internal sealed class LeaseCleaner(
    EngineContext engine, VersionSet versions, WalWriter wal, ReadSessions sessions, LiveKeyCounter liveKeys,
    LeaseHorizon horizon, CommitPipeline commit, WalSyncer syncer)
{
    private readonly RankedLock _cleaning = new(LockOrder.LeaseCleanUp);

    /// <inheritdoc cref="LsmStateMachine.LeaseBackgroundCleanupAsync"/>
    public Task<IReadOnlyList<ReadOnlyMemory<byte>>> CleanUpAsync()
    {
        engine.Clock.ReadLocalIfUsed(); // the user's clock: before the lock
        List<ReadOnlyMemory<byte>> keys;
        LogOffset? end;
        using (_cleaning.Enter())
        {
            while (!TryCleanUp(out keys, out end))
            {
                // The state was replaced meanwhile, or the census has gone past the revision.
            }
        }

        // The order in which they are found tells where they lie, which differs between replicas.
        keys.Sort(static (a, b) => a.Span.SequenceCompareTo(b.Span));
        return engine.Options.Durability == Durability.Power && end is { } offset
            ? Durably(offset, keys)
            : Task.FromResult<IReadOnlyList<ReadOnlyMemory<byte>>>(keys);

        async Task<IReadOnlyList<ReadOnlyMemory<byte>>> Durably(LogOffset end, List<ReadOnlyMemory<byte>> keys)
        {
            await syncer.WaitAsync(end).ConfigureAwait(false);
            return keys;
        }
    }

    private bool TryCleanUp(out List<ReadOnlyMemory<byte>> keys, out LogOffset? end)
    {
        var found = keys = [];
        end = null;
        var reported = 0UL;
        var slot = sessions.Enter();
        try
        {
            engine.State.EnsureWritable();
            var version = CleanUpPoint(out var position, out var from, out var to);
            var isAt = liveKeys.TryVisitExpired(version, position.Index, from, to, (key, deadline) =>
            {
                found.Add(key);
                reported = Math.Max(reported, deadline);
            });
            if (!isAt) return false;
            using (versions.EnterGate())
            {
                engine.State.EnsureWritable();
                var generation = version.Generation;
                if (versions.Current.Generation != generation) return false;
                if (found.Count > 0)
                {
                    Span<byte> payload = stackalloc byte[CleanUpMarker.Size];
                    new CleanUpMarker(reported).Write(payload);
                    end = commit.AppendMarkerGateHeld(WalRecordType.Clean, payload);
                    versions.Current.Memtables[0].NoteCleanUp(wal.Position.Index, reported);
                    generation.CleanedTimeMs = reported;
                }

                generation.VisitedTimeMs = Math.Max(generation.VisitedTimeMs, to);
                return true;
            }
        }
        finally
        {
            sessions.Leave(slot);
        }
    }

    /// <summary>
    /// The version, the position and the deadlines that a clean-up looks at: after <paramref name="from"/>, up to
    /// <paramref name="to"/>.
    /// </summary>
    private DbVersion CleanUpPoint(out LogPosition position, out ulong from, out ulong to)
    {
        using (versions.EnterGate())
        {
            var version = versions.Current;
            var generation = version.Generation;
            position = generation.Applied.Read();
            // No chunk is being applied now, so whoever applies later does so at this time or later. What waits for its
            // sync was applied before, and nobody may see it yet: its leases may expire by now, and are left to the
            // next call.
            to = engine.Options.LeaseClock == LeaseClock.Log ? position.LogTimeMs
                : position.Index < wal.Position.Index ? position.LocalTimeMs : engine.Clock.SeenLocal;
            from = Math.Max(Math.Max(generation.CleanedTimeMs, generation.VisitedTimeMs), horizon.ForgottenTime(to));
            return version;
        }
    }
}
