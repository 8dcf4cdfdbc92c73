using Varve.Wal;

namespace Varve.Commit;

/// <summary>What an applier has to wait for before it acknowledges a chunk.</summary>
/// <param name="Count">The number of the chunk's entries.</param>
/// <param name="End">The end of the log behind the chunk, and behind what its duplicates were.</param>
/// <param name="NeedsSync">True if the log must be durable up to <paramref name="End"/> first.</param>
internal readonly record struct CommitTicket(int Count, LogOffset End, bool NeedsSync);
