using Varve.Format;
using Varve.Tables;
using Varve.Versions;

namespace Varve.LiveKeys;

/// <summary>
/// Counts what the records of a segment in use change. This process wrote or verified every one of them.
/// </summary>
internal static class MemtableFold
{
    /// <summary>
    /// By how much a record's effects up to an index change the number of live keys, at a time. The older version of a
    /// key is found through the operation's own link, or below the memtable.
    /// </summary>
    // SAFETY: the record is finished, so its operations lie in the segment; the version keeps its memtables.
    public static unsafe long Count(
        DbVersion version, int memtable, in WalRecordView record, ulong index, ulong timeMs,
        SortedSet<(ulong, OperationRef)>? leases)
    {
        var count = 0L;
        var segment = version.Memtables[memtable].Segment;
        var operations = record.Operations;
        while (operations.MoveNext())
        {
            var view = operations.Reference.At(segment.Base);
            if (view.Index > index) break;
            if (view.Kind == RecordKind.LeasedPut) leases?.Add((view.Deadline, operations.Reference));
            count += (Liveness.IsLive(view.Kind, view.Deadline, timeMs) ? 1 : 0)
                - (WasLive(version, memtable, view, timeMs) ? 1 : 0);
        }

        return count;
    }

    // SAFETY: `Prior` names an older operation of the same segment, which the version keeps.
    private static unsafe bool WasLive(DbVersion version, int memtable, WalOperationView view, ulong timeMs)
    {
        if (!view.Prior.IsNone)
        {
            var prior = view.Prior.At(version.Memtables[memtable].Segment.Base);
            return Liveness.IsLive(prior.Kind, prior.Deadline, timeMs);
        }

        var key = view.Key;
        var hash = version.MemtableHasher.Of(key);
        for (var i = memtable + 1; i < version.Memtables.Length; i++)
        {
            var older = version.Memtables[i];
            var reference = older.Index.FindVisible(key, hash, ulong.MaxValue);
            if (!reference.IsNone) return new KeyVersion(older.Index.OperationAt(reference)).IsLiveAt(timeMs);
        }

        return version.TryFindInRuns(key, out var found) && found.IsLiveAt(timeMs);
    }
}
