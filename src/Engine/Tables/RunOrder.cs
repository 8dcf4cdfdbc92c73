using Varve.Format;
using Varve.Memory;

namespace Varve.Tables;

/// <summary>
/// The order of the tables of a run, by whole keys, which only the tables have: a manifest has no more than the first
/// bytes of each, and leaves the order of some open.
/// </summary>
internal static class RunOrder
{
    /// <summary>
    /// Sorts the open tables of a run by key, and reports each that does not lie above those before it.
    /// </summary>
    /// <param name="tables">The run's.</param>
    /// <param name="of">The path of a table, and what it says of itself.</param>
    /// <param name="report">Takes each damage.</param>
    public static void Sort<T>(
        List<T> tables, Func<T, (string Path, TableDescriptor Keys)> of, Action<VarveException> report)
    {
        tables.Sort((a, b) => KeyComparer.Instance.Compare(of(a).Keys.SmallestKey, of(b).Keys.SmallestKey));
        byte[]? largest = null;
        foreach (var table in tables)
        {
            var (path, keys) = of(table);
            if (largest is not null && KeyComparer.Instance.Compare(largest, keys.SmallestKey) >= 0)
                report(CorruptionException.Of(
                    path, 0, "table of a run", "keys are not above those of the tables before it in its run"));
            if (largest is null || KeyComparer.Instance.Compare(largest, keys.LargestKey) < 0)
                largest = keys.LargestKey;
        }
    }
}
