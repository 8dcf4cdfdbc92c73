namespace Varve.Runtime;

/// <summary>
/// The time by which an engine judges leases: the local clock, which never runs backward within an instance, or the
/// log's. The user's <see cref="TimeProvider"/> may throw and may call the engine: it is asked by callers, never under
/// a lock, and never on a thread of the engine's own. Those go by the time that the last caller saw. Any thread.
/// </summary>
/// <param name="options">Which clock leases go by, and the user's clock.</param>
/// <param name="startMs">What local time does not run behind: the logged time and the reported deadlines, Unix
/// milliseconds.</param>
internal sealed class EngineClock(EngineOptions options, ulong startMs)
{
    private ulong _local = startMs;

    /// <summary>The local time that was seen last, Unix milliseconds; for where a lock is held.</summary>
    public ulong SeenLocal => Volatile.Read(ref _local);

    /// <summary>The user's clock, Unix milliseconds; a time before 1970 is 0.</summary>
    /// <exception cref="InvalidOperationException">The clock threw; that is the inner exception. Nothing was
    /// done.</exception>
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
    /// Asks the user's clock for the local time; never behind what was seen. The caller holds no lock.
    /// </summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public ulong ReadLocal() => Raise(Read(options.TimeProvider));

    /// <summary>
    /// As <see cref="ReadLocal"/>, where leases go by local time: before a lock under which <see cref="SeenLocal"/> is
    /// read.
    /// </summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public void ReadLocalIfUsed()
    {
        if (options.LeaseClock == LeaseClock.Local) ReadLocal();
    }

    /// <summary>The time by which leases are judged at a position of the log. The caller holds no lock.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public ulong LeaseTime(ulong logTimeMs) => options.LeaseClock == LeaseClock.Log ? logTimeMs : ReadLocal();

    /// <summary>As <see cref="LeaseTime"/>, by the local time that was seen last: for where a lock is held.</summary>
    public ulong SeenLeaseTime(ulong logTimeMs) => options.LeaseClock == LeaseClock.Log ? logTimeMs : SeenLocal;

    /// <summary>Raises what local time does not run behind; the local time by then.</summary>
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
