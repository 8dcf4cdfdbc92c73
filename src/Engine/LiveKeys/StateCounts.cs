using Varve.Format;
using Varve.Tables;
using Varve.Versions;

namespace Varve.LiveKeys;

/// <summary>
/// Counts the live keys of states other than the running one, which <see cref="LiveKeyCounter"/> counts: a snapshot's
/// cut, and tables by another clock. They start from the count that the tables' state carries, and keep nothing. Any
/// thread that keeps the version or the runs.
/// </summary>
internal static class StateCounts
{
    /// <summary>
    /// The live count at an index inside the version's memtables, at the time that the version's base was counted at.
    /// </summary>
    public static long AtCut(DbVersion version, ulong index)
    {
        var count = version.Base.LiveCount;
        for (var i = version.Memtables.Length - 1; i >= 0; i--)
        {
            var records = version.Memtables[i].Records();
            var last = version.Base.LastIndex;
            while (last < index && records.MoveNextVerified())
            {
                ref readonly var record = ref records.Current;
                count += MemtableFold.Difference(version, i, record, index, version.Base.CountedTimeMs, leases: null);
                last = record.Header.LastIndex;
            }
        }

        return count;
    }

    /// <summary>
    /// The state of tables alone, counted at another time, earlier ones too: a machine may be opened or installed by a
    /// clock that is behind the one that counted. An earlier time must not go back behind what a compaction dropped as
    /// reported.
    /// </summary>
    public static MachineState CountedAt(Run[] runs, MachineState state, ulong timeMs)
    {
        var changed = 0L;
        if (timeMs >= state.CountedTimeMs)
            ExpiredLeases.VisitRuns(runs, state.HashSeed, state.CountedTimeMs, timeMs, (_, _) => changed--);
        else ExpiredLeases.VisitRuns(runs, state.HashSeed, timeMs, state.CountedTimeMs, (_, _) => changed++);
        return state with { LiveCount = state.LiveCount + changed, CountedTimeMs = timeMs };
    }
}
