using Varve.Contract;
using Varve.Format;
using Varve.Storage;
using Varve.Tables;

namespace Varve.Inspection;

/// <summary>Checks table files against their descriptors.</summary>
internal static class TableCheck
{
    /// <summary>
    /// Checks a table against its descriptor in the manifest and the hash seed of its state (null: unknown). Returns
    /// the table's own descriptor, with whole keys; null if the table is unreadable.
    /// </summary>
    public static TableDescriptor? Run(
        IStorage storage, string path, TableDescriptor descriptor, ulong? hashSeed, bool deep, Findings findings)
    {
        if (!storage.FileExists(path))
        {
            findings.Report(path, 0, CorruptionKind.Table, "no such file, the manifest names it");
            return null;
        }

        findings.Files++;
        var tail = TailOf(storage, path);
        findings.ReadThrough(storage, path, tail);
        using var table = Table.TryOpen(storage, path, descriptor, paranoid: false, findings.Report);
        if (table is not null && hashSeed is { } seed && table.SeedFault(seed) is { } fault) findings.Report(fault);
        if (deep && table is not null) FindDamage(table, path, tail, findings);
        if (deep && table is null) ScanBlocks(storage, path, descriptor.Origin, descriptor.OriginNumber, findings);
        return table?.Descriptor;
    }

    /// <summary>Checks each table of an intact manifest, and that the tables of a run do not overlap.</summary>
    public static void RunAll(
        IStorage storage, IEnumerable<(string Path, AddedTable Table)> tables, ulong? hashSeed, bool deep,
        Findings findings)
    {
        foreach (var run in tables.GroupBy(table => table.Table.RunOrder))
        {
            var read = new List<(string, TableDescriptor)>();
            foreach (var (path, table) in run)
                if (Run(storage, path, table.Table, hashSeed, deep, findings) is { } keys) read.Add((path, keys));
            RunOrder.Sort(read, static table => table, findings.Report);
        }
    }

    /// <summary>
    /// Checks a whole open table, of which all but <paramref name="bytes"/> are read and counted already.
    /// </summary>
    public static void FindDamage(Table table, string path, long bytes, Findings findings)
    {
        var before = findings.Bytes;
        var twice = 2 * table.Descriptor.Length; // the table's progress at its end
        table.FindDamage(findings.Report, done => findings.Progress?.Invoke(path, before + (bytes * done / twice)));
        findings.Bytes = before + bytes;
        findings.Blocks += table.BlockCount;
        findings.Rows += table.Properties.RowCount;
    }

    /// <summary>Checks a table that no readable manifest describes against its own footer.</summary>
    public static void RunUnnamed(
        IStorage storage, string path, ulong number, Guid databaseId, bool deep, Findings findings)
    {
        if (LooseTable.Describe(storage, path, number, findings.Report) is { } descriptor)
            Run(storage, path, descriptor, null, deep, findings);
        else if (deep) ScanBlocks(storage, path, databaseId, number, findings);
    }

    private static void ScanBlocks(IStorage storage, string path, Guid origin, ulong originNumber, Findings findings)
    {
        findings.ReadThrough(storage, path, 0);
        using var scan = new TableBlockScan(storage, path, origin, originNumber);
        while (scan.MoveNext())
        {
            if (scan.IsSound)
            {
                findings.Blocks++;
                findings.Rows += scan.Count;
            }
            else if (scan.Error.IsUnsupported)
            {
                findings.Report(
                    DecodeFailure.Of(path, scan.Offset, CorruptionKind.DataBlock, scan.Error with { Offset = 0 }));
            }
            else if (!scan.IsRest)
            {
                findings.Report(
                    path, scan.Offset, CorruptionKind.DataBlock, $"{scan.Error.Reason}; damaged up to {scan.End}");
            }
        }
    }

    /// <summary>Offset from which an open reads the table.</summary>
    private static long TailOf(IStorage storage, string path)
    {
        using var file = storage.Open(path, FileIntent.Read);
        var length = file.Length;
        return TableParts.TryReadFooter(file, length, out var footer, out _)
            ? footer!.DataLength
            : Math.Max(0, length - TableFooter.Bytes);
    }
}
