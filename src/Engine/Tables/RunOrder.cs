using Varve.Format;
using Varve.Memory;

namespace Varve.Tables;

/// <summary>
/// Orders the tables of a run by their whole keys. A manifest has only the first bytes of each key, which can leave the
/// order of two tables open; the tables have all of it.
/// </summary>
internal static class RunOrder
{
    /// <summary>
    /// Sorts the open tables of a run by key and reports each one that is not above those before it.
    /// </summary>
    /// <param name="tables">The tables of the run.</param>
    /// <param name="of">Returns the path of a table and a descriptor with its whole keys.</param>
    /// <param name="report">Receives each damage.</param>
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
