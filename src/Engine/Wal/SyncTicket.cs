using Varve.Format;

namespace Varve.Wal;

/// <summary>The extent of one sync.</summary>
/// <param name="Segments">In order.</param>
/// <param name="IsWhole">True if nothing but records is dirty in them.</param>
/// <param name="Synced">Everything before this was durable at capture.</param>
/// <param name="End">The end of the log at capture.</param>
/// <param name="Position">The position of that end.</param>
/// <param name="Mark">The mark of the outer log at that end.</param>
/// <param name="Restarts">The number of times that the log had been dropped.</param>
internal readonly record struct SyncTicket(
    List<WalSegment> Segments, bool IsWhole, LogOffset Synced, LogOffset End, LogPosition Position, LogMark Mark,
    int Restarts);
