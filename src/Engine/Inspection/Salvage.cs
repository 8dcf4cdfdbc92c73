using Varve.Format;
using Varve.Memory;
using Varve.Storage;
using Varve.Tables;

namespace Varve.Inspection;

/// <summary>
/// Collects the readable tables of a damaged database as runs for a merge, newest first.
/// <para>
/// The problem: the order of runs gives the age of versions, and it is the manifest that has the order. A damaged table
/// has readable blocks, a lost edit may have dropped a named table, and an old version that returns is worse than a
/// lost one, because nothing reports it.
/// </para>
/// <list type="number">
/// <item>The source is only read. An intact table is used in place; of a damaged one, intact blocks are copied into a
/// table of the output.</item>
/// <item>A block is used only if its checksum is right and its keys ascend above those of the block before.</item>
/// <item>Within a run of known order, tables do not overlap. If they do, each becomes a run of its own, by its number:
/// numbers are never reused (I6), so a higher one is newer.</item>
/// <item>Rows of the log are newer than all tables, and join last (<see cref="AddNewest"/>).</item>
/// <item>Each gap is listed as a <see cref="Loss"/> with the keys around it. Nothing is dropped without one.</item>
/// </list>
/// <para>
/// The obvious design reinserts every readable row into a fresh engine, and loses: rows of different runs then compete
/// without their order, so a deleted key may return, and the cost is a second write of the whole database.
/// </para>
/// <para>Threads: one. Dispose releases the tables; the runs are valid until then.</para>
/// </summary>
internal sealed class Salvage(IStorage output, string directory, Guid databaseId, FileNumbers numbers) : IDisposable
{
    private readonly List<(ulong Order, ulong Number, TableHandle Table)> _tables = [];
    private readonly List<TableHandle> _owned = [];
    private readonly ulong _hashSeed = KeyHasher.NewSeed();   // of intermediate tables, merged at once

    public List<Loss> Losses { get; } = [];

    /// <summary>True if no table was damaged or missing.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>Adds a table of a run.</summary>
    /// <param name="storage">File system of the table.</param>
    /// <param name="path">Path of the table.</param>
    /// <param name="order">Order of the run; higher is newer.</param>
    /// <param name="number">File number, which orders runs of the same order.</param>
    /// <param name="descriptor">Descriptor in the manifest; null if there is none.</param>
    public void Add(IStorage storage, string path, ulong order, ulong number, TableDescriptor? descriptor)
    {
        if (!storage.FileExists(path))
        {
            IsWhole = false;
            Losses.Add(new Loss(
                path, 0, $"a table of {descriptor?.RowCount} rows", descriptor?.SmallestKey, descriptor?.LargestKey));
            return;
        }

        var known = descriptor ?? LooseTable.Describe(storage, path, number, static _ => { });
        if (known is not null && OpenWhole(storage, path, known) is { } table)
            Own(order, number, new TableHandle(storage, path, table));
        else
        {
            IsWhole = false;
            CopyBlocks(storage, path, order, number, known);
        }
    }

    /// <summary>Adds the rows of the log, which are newer than all tables.</summary>
    public void AddNewest(Action<TableSetWriter> write)
    {
        using var batch = NewBatch();
        write(batch);
        Open(batch, ulong.MaxValue, ulong.MaxValue);
    }

    /// <summary>
    /// Returns all added tables as runs, newest first. Overlapping tables of one order are runs of their own.
    /// </summary>
    public Run[] Runs()
    {
        var runs = new List<Run>();
        foreach (var group in _tables.GroupBy(table => table.Order).OrderByDescending(group => group.Key))
        {
            var tables = group.OrderBy(table => table.Table.Descriptor.SmallestKey, KeyComparer.Instance).ToArray();
            var overlaps = tables.Zip(tables.Skip(1)).Any(pair => KeyComparer.Instance.Compare(
                pair.First.Table.Descriptor.LargestKey, pair.Second.Table.Descriptor.SmallestKey) >= 0);
            if (!overlaps) runs.Add(new Run(group.Key, [.. tables.Select(table => table.Table)]));
            else
                runs.AddRange(
                    tables.OrderByDescending(table => table.Number).Select(table => new Run(group.Key, [table.Table])));
        }

        return [.. runs];
    }

    public void Dispose()
    {
        foreach (var table in _owned) table.Release();
    }

    private static Table? OpenWhole(IStorage storage, string path, TableDescriptor descriptor)
    {
        var isWhole = true;
        var table = Table.TryOpen(storage, path, descriptor, paranoid: false, _ => isWhole = false);
        table?.FindDamage(_ => isWhole = false);
        if (isWhole) return table;
        table?.Dispose();
        return null;
    }

    private void CopyBlocks(IStorage storage, string path, ulong order, ulong number, TableDescriptor? descriptor)
    {
        using var scan = new TableBlockScan(storage, path, descriptor?.Origin, descriptor?.OriginNumber ?? number);
        using var batch = NewBatch();
        var last = descriptor?.SmallestKey is { } smallest ? smallest : [];
        var hasRows = false;
        Loss? open = null;
        while (scan.MoveNext())
        {
            if (!scan.IsSound)
            {
                open ??= new Loss(path, scan.Offset, scan.IsRest
                    ? "the rest of the file"
                    : $"the rows of a block, up to {scan.End}", last);
                continue;
            }

            for (var row = 0; row < scan.Count; row++)
            {
                var key = new byte[scan.KeyLength(row)];
                scan.CopyKeyTo(row, key);
                if (hasRows && KeyComparer.Instance.Compare(key, last) <= 0)
                {
                    Losses.Add(new Loss(path, scan.Offset, "rows that are not above the ones before them", last));
                    break;
                }

                if (open is not null) Losses.Add(open with { Before = key });
                open = null;
                var content = scan.Row(row);
                batch.Add(key, content.Kind, content.Deadline, content.Value);
                (last, hasRows) = (key, true);
            }
        }

        if (open is not null) Losses.Add(open);
        Open(batch, order, number);
    }

    private TableSetWriter NewBatch() =>
        new(output, directory, databaseId, numbers, _hashSeed, new EngineOptions(), long.MaxValue);

    private void Open(TableSetWriter batch, ulong order, ulong number)
    {
        foreach (var (path, descriptor) in batch.Finish(descriptor => FileNames.Table(descriptor.Number)))
            Own(order, number, new TableHandle(output, path, Table.Open(output, path, descriptor, paranoid: false)));
    }

    private void Own(ulong order, ulong number, TableHandle table)
    {
        _owned.Add(table);
        _tables.Add((order, number, table));
    }
}
