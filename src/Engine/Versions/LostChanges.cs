using Varve.Wal;

namespace Varve.Versions;

/// <summary>The changes that can no longer be read: those of the log before a place, up to an index.</summary>
/// <param name="Last">The last record with changes that is gone.</param>
/// <param name="Index">The last index of that record: the next one can be read.</param>
internal readonly record struct LostChanges(LogOffset Last, ulong Index)
{
    /// <summary>The changes before the first that a version's log has.</summary>
    public static LostChanges Before(DbVersion version) =>
        new(new LogOffset(version.Memtables[^1].Segment.Number, 0), version.Base.LastIndex);
}
