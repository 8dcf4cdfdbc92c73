using Varve.Format;
using Varve.Tables;
using Varve.Versions;

namespace Varve.LiveKeys;

/// <summary>
/// Finds the leases that the passing of time ends: of the leased puts with a deadline in an interval, those that are
/// still the newest version of their key. Deadlines are found by binary search, in the sets of the folded memtables and
/// in the lease regions of the tables, so the cost is by the leases of the interval. Any thread that keeps the version.
/// </summary>
internal static class ExpiredLeases
{
    /// <summary>
    /// Visits key and deadline of the leases of a version, newest at a revision, with a deadline after
    /// <paramref name="from"/> and up to <paramref name="to"/>. The memtables are folded up to the revision.
    /// </summary>
    // SAFETY: a folded lease names an operation of the segment, which the version keeps.
    public static unsafe void Visit(
        DbVersion version, ulong index, ulong from, ulong to, Action<byte[], ulong> visit)
    {
        if (to <= from) return;
        foreach (var memtable in version.Memtables)
        {
            if (memtable.Fold.Leases.Count == 0) continue;
            foreach (var (deadline, reference) in memtable.Fold.Leases.GetViewBetween(
                (from + 1, default), (to, OperationRef.Last)))
            {
                var key = reference.At(memtable.Segment.Base).Key;
                if (version.Find(key, index).IsSameAs(new KeyVersion(memtable.Index.OperationAt(reference))))
                    visit(key.ToArray(), deadline);
            }
        }

        VisitTables(version.Runs, from, to, key => version.Find(key, index), visit);
    }

    /// <summary>Visits the expired leases of runs, newest first, without those of memtables.</summary>
    public static void VisitRuns(Run[] runs, ulong hashSeed, ulong from, ulong to, Action<byte[], ulong> visit)
    {
        var hasher = new KeyHasher(hashSeed);
        VisitTables(runs, from, to, key => DbVersion.FindInRuns(runs, key, hasher.Of(key)), visit);
    }

    private static void VisitTables(
        Run[] runs, ulong from, ulong to, Func<byte[], KeyVersion> newest, Action<byte[], ulong> visit)
    {
        if (to <= from) return;
        foreach (var run in runs)
        {
            foreach (var handle in run.Tables)
            {
                if (handle.Descriptor.LeaseCount == 0) continue;
                var leases = handle.Table.Leases(from, to);
                while (leases.MoveNext())
                {
                    var key = new byte[leases.KeyLength];
                    leases.CopyKeyTo(key);
                    if (newest(key).IsSameAs(leases.Row)) visit(key, leases.Deadline);
                }
            }
        }
    }
}
