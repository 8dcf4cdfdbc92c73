using System.Text;

namespace Varve.Samples.Locks;

/// <summary>
/// Locks that end by themselves if their holder is gone. A lock is a key with a lease; its value names one acquisition,
/// so that only its holder can renew or release it.
/// </summary>
/// <remarks>
/// The engine runs under <see cref="LeaseClock.Log"/>: time is what the entries carry, and replicas agree about it.
/// This sample is its own log; in a group, <see cref="ApplyAsync"/> proposes to the Raft library instead.
/// </remarks>
internal sealed class LockService(LsmStateMachine engine, TimeProvider time)
{
    private readonly SemaphoreSlim _log = new(1, 1);

    /// <summary>Takes a free lock.</summary>
    /// <returns>The lock with its fencing token; null if another holds it.</returns>
    public async Task<HeldLock?> TryAcquireAsync(string name, string client, ulong ttlSeconds)
    {
        var holder = $"{client}/{Guid.NewGuid():n}";
        var result = await ApplyAsync(Command.InsertIfAbsent("lock/" + name, holder, ttlSeconds));
        return result.Succeeded ? new HeldLock(name, holder, result.Index) : null;
    }

    /// <summary>Moves the deadline of a lock.</summary>
    /// <returns>False if the caller no longer holds the lock.</returns>
    public async Task<bool> RenewAsync(HeldLock held, ulong ttlSeconds)
    {
        // Not Command.Renew: that would renew the lease of whoever holds the lock now.
        var renew = Command.CompareAndSwap("lock/" + held.Name, expected: held.Holder, held.Holder, ttlSeconds);
        return (await ApplyAsync(renew)).Succeeded;
    }

    /// <summary>Gives a lock back.</summary>
    /// <returns>False if the caller no longer held it; then nothing changes.</returns>
    public async Task<bool> ReleaseAsync(HeldLock held) =>
        (await ApplyAsync(Command.CompareAndDelete("lock/" + held.Name, held.Holder))).Succeeded;

    /// <summary>Enters a client into the list of members.</summary>
    public async Task<bool> JoinAsync(string client, ulong ttlSeconds) =>
        (await ApplyAsync(Command.InsertIfAbsent("member/" + client, "", ttlSeconds))).Succeeded;

    /// <summary>Keeps a member in the list. The key is the client's own, so nobody else's lease can be meant.</summary>
    /// <returns>False if the member's lease has expired.</returns>
    public async Task<bool> HeartbeatAsync(string client, ulong ttlSeconds) =>
        (await ApplyAsync(Command.Renew("member/" + client, ttlSeconds))).Succeeded;

    /// <summary>The clients that have joined and whose leases are live, as of the last entry.</summary>
    public List<string> Members()
    {
        var members = new List<string>();
        var after = ReadOnlyMemory<byte>.Empty;
        do
        {
            var page = engine.ScanPage("member/", after, limit: 100);
            members.AddRange(page.Entries.Select(entry => entry.GetKeyString()["member/".Length..]));
            after = page.Continuation;
        }
        while (!after.IsEmpty);

        return members;
    }

    /// <summary>Lets time pass while nobody asks for anything, and names what has expired since the last one.</summary>
    public async Task<IReadOnlyList<string>> TickAsync()
    {
        await ApplyAsync(Command.Noop);
        var expired = await engine.LeaseBackgroundCleanupAsync();
        return [.. expired.Select(key => Encoding.UTF8.GetString(key.Span))];
    }

    private async Task<ApplyResult> ApplyAsync(Command command)
    {
        await _log.WaitAsync();
        try
        {
            var now = (ulong)time.GetUtcNow().ToUnixTimeMilliseconds();
            var entry = new ApplyEntry(engine.LastApplied.Index + 1, Term: 1, command, TimestampMs: now);
            return (await engine.ApplyChunkAsync(new[] { entry }))[0];
        }
        finally
        {
            _log.Release();
        }
    }
}

/// <summary>A lock that was acquired.</summary>
/// <param name="Name">The lock's name.</param>
/// <param name="Holder">The value that names this acquisition.</param>
/// <param name="Token">The fencing token: the log index of the acquisition. A later holder's is larger.</param>
internal sealed record HeldLock(string Name, string Holder, ulong Token);
