using Varve.Contract;
using Varve.Format;
using Varve.Snapshots;
using Varve.Storage;

namespace Varve.Inspection;

/// <summary>Checks a snapshot, a directory or a packed file: the manifest, and every table against it.</summary>
internal static class SnapshotCheck
{
    /// <summary>A table in a packed snapshot.</summary>
    public readonly record struct Part(string Path, AddedTable Table);

    /// <summary>Checks a snapshot's directory.</summary>
    public static void Run(IStorage storage, string directory, bool deep, Findings findings)
    {
        var known = new HashSet<string> { SnapshotNames.Manifest };
        var manifest = TryReadManifest(storage, directory, findings);
        if (manifest is not null)
        {
            var tables = manifest.Tables.Select(
                table => (Path.Combine(directory, SnapshotNames.Table(table.Table)), table));
            TableCheck.RunAll(storage, tables, manifest.State.HashSeed, deep, findings);
            known.UnionWith(manifest.Tables.Select(table => SnapshotNames.Table(table.Table)));
        }

        foreach (var name in storage.List(directory))
        {
            if (known.Contains(name)) continue;
            if (manifest is null && name.EndsWith(SnapshotNames.TableExtension, StringComparison.Ordinal))
                TableCheck.RunUnnamed(storage, Path.Combine(directory, name), 0, default, deep, findings);
            else if (deep)
                findings.Remark(
                    Path.Combine(directory, name), 0, "unknown file",
                    "not named by the manifest; an install ignores it");
        }
    }

    /// <summary>Checks a packed snapshot; reads its tables in place.</summary>
    public static void RunPack(IStorage storage, string path, bool deep, Findings findings)
    {
        using var parts = new FileParts(storage, path);
        using var file = storage.Open(path, FileIntent.Read);
        var pack = new PackReader(file, findings.Report);
        if (OpenPack(pack, path, parts, findings, out var tables) is not { } manifest) return;
        TableCheck.RunAll(
            parts, tables.Select(part => (part.Path, part.Table)), manifest.State.HashSeed, deep, findings);
        if (tables.Count < manifest.Tables.Length) return; // reported: the file ends inside a table
        // A damage before the trailer changes the hash too, and is reported itself.
        pack.CheckEnd(verifiesHash: deep && findings.Damages == 0);
    }

    /// <summary>
    /// Reads header and manifest, and finds the tables that the file holds whole; null, after a report, without a
    /// manifest.
    /// </summary>
    public static SnapshotManifest? OpenPack(
        PackReader pack, string path, FileParts parts, Findings findings, out List<Part> tables)
    {
        tables = [];
        findings.Files++;
        var read = pack.ReadManifest();
        findings.Bytes += pack.Position;
        if (read is null) return null;
        CheckCount(read.Manifest, path, PackFormat.HeaderSize, findings);
        foreach (var added in read.Manifest.Tables)
        {
            if (!pack.TryEnterTable(added.Table)) break;
            var part = parts.Add(SnapshotNames.Table(added.Table), pack.Position, added.Table.Length);
            findings.AddPart(part, path, pack.Position);
            tables.Add(new Part(part, added));
            pack.SkipTable(added.Table);
        }

        return read.Manifest;
    }

    /// <summary>Reads a directory's manifest; null, after a report, when it cannot be.</summary>
    public static SnapshotManifest? TryReadManifest(IStorage storage, string directory, Findings findings)
    {
        var path = Path.Combine(directory, SnapshotNames.Manifest);
        if (!storage.FileExists(path))
        {
            findings.Report(path, 0, CorruptionKind.SnapshotManifest, "no such file");
            return null;
        }

        findings.Files++;
        try
        {
            var bytes = SnapshotFiles.ReadManifestFile(storage, directory);
            findings.Bytes += bytes.Length;
            if (SnapshotFiles.TryDecode(bytes, path, findings.Report) is not { } read) return null;
            CheckCount(read.Manifest, path, 0, findings);
            return read.Manifest;
        }
        catch (SnapshotRejectedException damage)
        {
            findings.Report(damage);
            return null;
        }
    }

    private static void CheckCount(SnapshotManifest manifest, string path, long offset, Findings findings)
    {
        var rows = manifest.Tables.Aggregate(
            UInt128.Zero, (sum, table) => sum + (UInt128)(table.Table.RowCount - table.Table.TombstoneCount));
        if ((UInt128)manifest.State.LiveCount > rows)
            findings.Report(
                path, offset, CorruptionKind.SnapshotManifest,
                $"snapshot counts {manifest.State.LiveCount} live keys in {rows} rows");
    }
}
