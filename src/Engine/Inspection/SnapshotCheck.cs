using Varve.Contract;
using Varve.Format;
using Varve.Snapshots;
using Varve.Storage;

namespace Varve.Inspection;

/// <summary>Checks a snapshot's directory.</summary>
internal static class SnapshotCheck
{
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
                findings.Remark(Path.Combine(directory, name), 0, "unknown file", "the snapshot does not name it");
        }
    }

    /// <summary>
    /// Decodes a manifest's bytes and checks what they say; null, after a report, when they are none.
    /// </summary>
    public static SnapshotManifest? Decode(ReadOnlySpan<byte> bytes, string path, long offset, Findings findings)
    {
        if (!SnapshotManifestCodec.TryDecode(bytes, out var manifest, out var error))
        {
            findings.Report(DecodeFailure.Of(path, offset, "snapshot manifest", error));
            return null;
        }

        var rows = manifest.Tables.Aggregate(
            UInt128.Zero, (sum, table) => sum + (UInt128)(table.Table.RowCount - table.Table.TombstoneCount));
        if ((UInt128)manifest.State.LiveCount > rows)
            findings.Report(
                path, offset, "snapshot manifest",
                $"snapshot counts {manifest.State.LiveCount} live keys in {rows} rows");
        return manifest;
    }

    /// <summary>Reads a directory's manifest; null, after a report, when it cannot be.</summary>
    public static SnapshotManifest? TryReadManifest(IStorage storage, string directory, Findings findings)
    {
        var path = Path.Combine(directory, SnapshotNames.Manifest);
        if (!storage.FileExists(path))
        {
            findings.Report(path, 0, "snapshot manifest", "no such file");
            return null;
        }

        findings.Files++;
        try
        {
            var bytes = SnapshotFiles.ReadManifestFile(storage, directory);
            findings.Bytes += bytes.Length;
            return Decode(bytes, path, 0, findings);
        }
        catch (SnapshotRejectedException damage)
        {
            findings.Report(damage);
            return null;
        }
    }
}
