using Varve.Contract;
using Varve.Format;
using Varve.Storage;
using Varve.Tables;

namespace Varve.Versions;

/// <summary>Opens the runs that a manifest names.</summary>
internal static class RunOpener
{
    /// <summary>Opens the tables of runs. The caller has one reference to each table.</summary>
    /// <param name="storage">The file system.</param>
    /// <param name="directory">The directory of the tables.</param>
    /// <param name="runs">Descriptors of tables, grouped into runs; the newest run first.</param>
    /// <param name="hashSeed">The seed that their key hashes must have.</param>
    /// <param name="options">Checks and access of tables.</param>
    /// <param name="known">Open tables by number, which are not opened again; each table that is opened is added, with
    /// a reference. Null: no table is open.</param>
    public static Run[] Open(
        IStorage storage, string directory, IEnumerable<IGrouping<ulong, AddedTable>> runs, ulong hashSeed,
        EngineOptions options, Dictionary<ulong, TableHandle>? known = null)
    {
        var opened = new List<TableHandle>();
        try
        {
            var result = new List<Run>();
            foreach (var run in runs)
            {
                var tables = new List<TableHandle>();
                foreach (var (_, descriptor) in run)
                {
                    if (known is not null && known.TryGetValue(descriptor.Number, out var open))
                    {
                        open.Acquire();
                        opened.Add(open);
                        tables.Add(open);
                        continue;
                    }

                    var path = Path.Combine(directory, FileNames.Table(descriptor.Number));
                    if (!storage.FileExists(path))
                        throw CorruptionException.Of(
                            path, 0, CorruptionKind.Table, "no such file, the manifest names it");
                    var handle = TableHandle.Open(storage, path, descriptor, options);
                    opened.Add(handle);
                    handle.Table.EnsureSeed(hashSeed);
                    tables.Add(handle);
                    if (known is null) continue;
                    handle.Acquire();
                    known.Add(descriptor.Number, handle);
                }

                RunOrder.Sort(tables, static table => (table.Path, table.Descriptor), static damage => throw damage);
                result.Add(new Run(run.Key, [.. tables]));
            }

            return [.. result];
        }
        catch
        {
            foreach (var handle in opened) handle.Release();
            throw;
        }
    }
}
