using Varve.Epochs;
using Varve.LiveKeys;
using Varve.Reading;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// The lease clean-up: finds, logs and reports the keys whose leases have expired, each lease once.
/// <para>
/// The problem: flushes, compactions, reopens, snapshots and installs must neither hide an expired lease that was not
/// reported nor show one that was. A mark on each lease would be a write for each. One number does it: the largest
/// deadline of all reported leases. It is logged before the caller gets the keys; manifests and snapshots carry it as
/// of their index.
/// </para>
/// <list type="number">
/// <item>A clean-up at time t reports every lease with a deadline after the number and up to t that is the newest
/// version of its key.</item>
/// <item>The lease time never falls behind the number, across reopens too, so every later lease has a later
/// deadline.</item>
/// <item>A compaction drops an expired lease only if its deadline is up to the number, or so old that no clean-up
/// reports it (<see cref="EngineOptions.ExpiredLeaseRetention"/>).</item>
/// <item>The record names the keys, for readers of changes, and stands after the entries that were applied while the
/// leases were searched. A key that one of these wrote is left out: its own change says more.</item>
/// </list>
/// <para>
/// The obvious number is the time of the last clean-up. After a clock is set back, no lease would expire before that
/// time comes again.
/// </para>
/// <para>Threads: any; one clean-up at a time.</para>
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
                // An install replaced the state meanwhile, or another count went past the revision.
            }
        }

        // Replicas find them in different orders, by the tables that each has.
        keys.Sort(static (a, b) => a.Span.SequenceCompareTo(b.Span));
        if (keys.Count is > 0 and var count) engine.Log.Post(logger => Log.LeasesCleaned(logger, count));
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
        var found = new List<(ReadOnlyMemory<byte> Key, ulong Deadline)>();
        keys = [];
        end = null;
        var slot = sessions.Enter();
        try
        {
            engine.State.EnsureWritable();
            var version = CleanUpPoint(out var position, out var from, out var to);
            var isAt = liveKeys.TryVisitExpired(
                version, position.Index, from, to, (key, deadline) => found.Add((key, deadline)));
            if (!isAt) return false;
            keys.AddRange(found.Select(static lease => lease.Key));
            found.Sort(static (a, b) => a.Deadline != b.Deadline
                ? a.Deadline.CompareTo(b.Deadline) : a.Key.Span.SequenceCompareTo(b.Key.Span));
            var records = found.Count > 0 ? CleanUpRecord.Encode(found) : [];
            using (versions.EnterGate())
            {
                engine.State.EnsureWritable();
                var generation = version.Generation;
                if (versions.Current.Generation != generation) return false;
                if (found.Count > 0)
                {
                    if (DropWrittenGateHeld(found, position.Index)) records = CleanUpRecord.Encode(found);
                    end = commit.AppendCleanUpGateHeld(records);
                    generation.CleanedTimeMs = found[^1].Deadline;
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
    /// Takes out the keys that an entry after an index wrote, and leaves their deadlines; false if there are none.
    /// </summary>
    private bool DropWrittenGateHeld(List<(ReadOnlyMemory<byte> Key, ulong Deadline)> leases, ulong index)
    {
        LockOrder.Gate.AssertHeld();
        if (wal.Position.Index == index) return false;
        var current = versions.Current;
        var hasAny = false;
        for (var i = 0; i < leases.Count; i++)
        {
            var key = leases[i].Key.Span;
            if (current.NewestIndexInMemtables(key) <= index) continue;
            leases[i] = leases[i] with { Key = default };
            hasAny = true;
        }

        return hasAny;
    }

    /// <summary>
    /// Chooses the version, the position and the deadlines of a clean-up: after <paramref name="from"/>, up to
    /// <paramref name="to"/>.
    /// </summary>
    private DbVersion CleanUpPoint(out LogPosition position, out ulong from, out ulong to)
    {
        using (versions.EnterGate())
        {
            var version = versions.Current;
            var generation = version.Generation;
            position = generation.Applied.Read();
            // No applier is in the gate, so later chunks have this time or a later one. Entries that wait for their
            // sync have an earlier one and are not published; the next clean-up reports their leases.
            to = engine.Options.LeaseClock == LeaseClock.Log ? position.LogTimeMs
                : position.Index < wal.Position.Index ? position.LocalTimeMs : engine.Clock.SeenLocal;
            from = Math.Max(Math.Max(generation.CleanedTimeMs, generation.VisitedTimeMs), horizon.ForgottenTime(to));
            return version;
        }
    }
}
