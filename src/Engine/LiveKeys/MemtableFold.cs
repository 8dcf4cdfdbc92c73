using Varve.Format;
using Varve.Versions;

namespace Varve.LiveKeys;

/// <summary>
/// The change of the number of live keys by one record of the log: each effect against the version of its key before
/// it. The record is in a segment in use; this process wrote or verified it.
/// </summary>
internal static class MemtableFold
{
    /// <summary>
    /// By how much a record's effects up to an index change the number of live keys. The older version of a key is
    /// found through the operation's own link, or below the memtable.
    /// </summary>
    /// <param name="version">A version that has the record.</param>
    /// <param name="memtable">The number of the record's memtable in the version.</param>
    /// <param name="record">The record.</param>
    /// <param name="index">The last index to count.</param>
    /// <param name="timeMs">The time to judge leases by, old and new ones.</param>
    /// <param name="leases">Takes the leased puts that are counted; null: nobody needs them.</param>
    // SAFETY: the record is finished, so its operations lie in the segment; the version keeps its memtables.
    public static unsafe long Difference(
        DbVersion version, int memtable, in WalRecordView record, ulong index, ulong timeMs,
        SortedSet<(ulong, OperationRef)>? leases)
    {
        var count = 0L;
        var segment = version.Memtables[memtable].Segment;
        var operations = record.Operations;
        while (operations.MoveNext())
        {
            var effect = operations.Reference.At(segment.Base);
            if (effect.Index > index) break;
            if (effect.Kind == RecordKind.LeasedPut) leases?.Add((effect.Deadline, operations.Reference));
            if (effect.IsLiveAt(timeMs)) count++;
            if (WasLive(version, memtable, effect, timeMs)) count--;
        }

        return count;
    }

    // SAFETY: `Prior` names an older operation of the same segment, which the version keeps.
    private static unsafe bool WasLive(DbVersion version, int memtable, WalOperationView effect, ulong timeMs)
    {
        if (!effect.Prior.IsNone)
            return effect.Prior.At(version.Memtables[memtable].Segment.Base).IsLiveAt(timeMs);

        var key = effect.Key;
        var hash = version.MemtableHasher.Of(key);
        for (var i = memtable + 1; i < version.Memtables.Length; i++)
        {
            var older = version.Memtables[i].Index;
            var reference = older.FindVisible(key, hash, ulong.MaxValue);
            if (!reference.IsNone) return older.OperationAt(reference).IsLiveAt(timeMs);
        }

        return version.TryFindInRuns(key, out var found) && found.IsLiveAt(timeMs);
    }
}
