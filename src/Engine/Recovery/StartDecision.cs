using Varve.Wal;

namespace Varve.Recovery;

/// <summary>
/// Decides where an open for writing appends, and what it syncs first. The table in <see cref="For"/> is the rule:
/// <list type="bullet">
/// <item>Only a clean end takes another record. Behind a torn tail lie bytes that a later scan must not reach: the new
/// segment's link names the valid end, and so cuts them off. A sealed segment promises a successor: the next segment
/// takes that place.</item>
/// <item>A new segment's link vouches for the end of the log before it, so all that was read is durable before the link
/// is (I2).</item>
/// <item>Under <see cref="Durability.Power"/> the open publishes what it recovered, so all of that is durable first
/// (I3). The other durabilities promise no such thing, and save the sync.</item>
/// </list>
/// </summary>
/// <param name="AppendsToLast">True: the next record goes to the last segment. False: to a new one.</param>
/// <param name="Sync">The part of the log that is made durable before.</param>
internal readonly record struct StartDecision(bool AppendsToLast, StartSync Sync)
{
    public static StartDecision For(RecoveredEnd end, Durability durability) => (end, durability) switch
    {
        (RecoveredEnd.NoLog, _) => new(AppendsToLast: false, StartSync.Nothing),
        (RecoveredEnd.Sealed, _) => new(AppendsToLast: false, StartSync.WholeLog),
        (RecoveredEnd.TornTail, _) => new(AppendsToLast: false, StartSync.WholeLog),
        (RecoveredEnd.Clean, Durability.Power) => new(AppendsToLast: true, StartSync.Unsynced),
        (RecoveredEnd.Clean, _) => new(AppendsToLast: true, StartSync.Nothing),
        _ => throw new ArgumentOutOfRangeException(nameof(end), end, "The end of a log is none of the four."),
    };

    /// <summary>The end of a recovered log; null: there is none.</summary>
    public static RecoveredEnd EndOf(RecoveredLog? log)
    {
        if (log is null) return RecoveredEnd.NoLog;
        if (log.IsSealed) return RecoveredEnd.Sealed;
        return log.Ending == LogEnding.TornTail ? RecoveredEnd.TornTail : RecoveredEnd.Clean;
    }
}
