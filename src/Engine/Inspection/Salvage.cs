using Varve.Format;
using Varve.Memory;
using Varve.Storage;
using Varve.Tables;

namespace Varve.Inspection;

/// <summary>
/// Makes whole tables of whatever there is: a whole one serves as it is, of a damaged one the readable blocks are
/// copied into the output. What comes out are runs, oldest version last, as a merge wants them.
/// </summary>
internal sealed class Salvage(IStorage output, string directory, Guid databaseId, FileNumbers numbers) : IDisposable
{
    private readonly List<(ulong Order, ulong Number, TableHandle Table)> _tables = [];
    private readonly List<TableHandle> _owned = [];
    private readonly ulong _hashSeed = KeyHasher.NewSeed();   // of tables that are merged into others at once

    public List<Loss> Losses { get; } = [];

    /// <summary>No table was damaged or missing.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>Adds a table of a run.</summary>
    /// <param name="storage">Where it is.</param>
    /// <param name="path">Its path.</param>
    /// <param name="order">The run; higher is newer.</param>
    /// <param name="number">The table's number, which decides between runs of no known order.</param>
    /// <param name="descriptor">What a manifest says of it; null: nothing does.</param>
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

    /// <summary>Writes rows that are newer than all else: those of the log.</summary>
    public void AddNewest(Action<TableSetWriter> write)
    {
        using var batch = NewBatch();
        write(batch);
        Open(batch, ulong.MaxValue, ulong.MaxValue);
    }

    /// <summary>
    /// Everything that was added, newest run first. Tables of an order that overlap are runs of their own.
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
                    ? "the rest of the file, with blocks or without"
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
