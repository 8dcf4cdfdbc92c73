namespace Varve.Wal;

/// <summary>The log as recovery found it: its segments in order, each with its end set.</summary>
/// <param name="Segments">The chain.</param>
/// <param name="Unused">Segments of the directory that are not in the chain.</param>
/// <param name="Ending">How the chain ended.</param>
/// <param name="IsSealed">True if the chain ends in a sealed record whose next segment exists and has no record of the
/// chain. Do not append to the last segment: begin a new one.</param>
/// <param name="TornBytes">Bytes of the dropped tail.</param>
/// <param name="Synced">The log is known to have been durable up to here.</param>
internal sealed record RecoveredLog(
    List<WalSegment> Segments, List<WalSegment> Unused, LogEnding Ending, bool IsSealed, long TornBytes,
    LogOffset Synced);
