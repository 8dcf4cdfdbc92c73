using Varve.Wal;

namespace Varve.Commit;

/// <summary>The condition under which an applier may acknowledge a chunk.</summary>
/// <param name="Count">The number of the chunk's entries.</param>
/// <param name="End">The end of the log after the chunk's record, and after those of its duplicates.</param>
/// <param name="NeedsSync">True if the log must be durable up to <paramref name="End"/> first.</param>
internal readonly record struct CommitTicket(int Count, LogOffset End, bool NeedsSync)
{
    /// <summary>The chunk was not applied, since a memtable has to be made for it.</summary>
    public static CommitTicket Deferred => new(-1, default, NeedsSync: false);

    public bool IsDeferred => Count < 0;
}
