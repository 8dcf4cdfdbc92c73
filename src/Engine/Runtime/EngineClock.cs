namespace Varve.Runtime;

/// <summary>
/// The time by which an engine judges leases: the local clock, which never goes back within an instance, or the log's.
/// The user's <see cref="TimeProvider"/> may throw and may call the engine. So callers read it before they take a lock;
/// code under a lock and the engine's own threads use the time that the last caller saw. Any thread.
/// </summary>
/// <param name="options">The clock that leases go by, and the user's clock.</param>
/// <param name="startMs">The least local time: the logged time and the reported deadlines, Unix milliseconds.</param>
internal sealed class EngineClock(EngineOptions options, ulong startMs)
{
    private ulong _local = startMs;

    /// <summary>The local time that the last caller saw, Unix milliseconds; for code under a lock.</summary>
    public ulong SeenLocal => Volatile.Read(ref _local);

    /// <summary>The user's clock, Unix milliseconds; a time before 1970 is 0.</summary>
    /// <exception cref="InvalidOperationException">The clock threw the inner exception. Nothing was done.</exception>
    public static ulong Read(TimeProvider provider)
    {
        try
        {
            return (ulong)Math.Max(0, provider.GetUtcNow().ToUnixTimeMilliseconds());
        }
        catch (Exception e)
        {
            throw new InvalidOperationException(
                $"{nameof(EngineOptions)}.{nameof(EngineOptions.TimeProvider)} failed to give the time; nothing was "
                    + "done: "
                    + $"{e.Message}",
                e);
        }
    }

    /// <summary>
    /// Reads the user's clock; the result is never behind <see cref="SeenLocal"/>. The caller holds no lock.
    /// </summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public ulong ReadLocal() => Raise(Read(options.TimeProvider));

    /// <summary>
    /// Reads the user's clock if leases go by it. Called before a lock under which <see cref="SeenLocal"/> is read.
    /// </summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public void ReadLocalIfUsed()
    {
        if (options.LeaseClock == LeaseClock.Local) ReadLocal();
    }

    /// <summary>The time by which leases are judged at a position of the log. The caller holds no lock.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public ulong LeaseTime(ulong logTimeMs) => options.LeaseClock == LeaseClock.Log ? logTimeMs : ReadLocal();

    /// <summary>The lease time by the local time that the last caller saw; for code under a lock.</summary>
    public ulong SeenLeaseTime(ulong logTimeMs) => options.LeaseClock == LeaseClock.Log ? logTimeMs : SeenLocal;

    /// <summary>Raises the least local time.</summary>
    /// <returns>The local time after it.</returns>
    public ulong Raise(ulong timeMs)
    {
        var seen = Volatile.Read(ref _local);
        while (timeMs > seen)
        {
            var before = Interlocked.CompareExchange(ref _local, timeMs, seen);
            if (before == seen) return timeMs;
            seen = before;
        }

        return seen;
    }
}
