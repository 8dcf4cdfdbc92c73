using Varve.Format;
using Varve.Storage;

namespace Varve.Inspection;

/// <summary>
/// Reads a database or a snapshot as it lies there and says all that is wrong with it. Writes nothing, makes nothing,
/// and goes past every damage to what stands behind it. No bytes whatever make it throw; only what the file system
/// refuses does.
/// </summary>
internal static class Verification
{
    /// <summary>As the other, without the totals.</summary>
    public static IReadOnlyList<Problem> Check(IStorage storage, string path, bool deep) =>
        Check(storage, path, deep, out _);

    /// <summary>Checks a database's directory, a snapshot's directory, or a packed snapshot.</summary>
    /// <param name="storage">The file system.</param>
    /// <param name="path">What to check.</param>
    /// <param name="deep">
    /// Not only what an open would read (the pointers, the manifest, the log, the ends of tables), but every block, row
    /// and operation, and each against what is said of it elsewhere.
    /// </param>
    /// <param name="totals">What was read.</param>
    /// <param name="progress">Told now and then of the file that is read, and of the bytes read of all files so far;
    /// null: nobody is.</param>
    /// <returns>
    /// Damages and remarks; nothing is wrong when none of them is a damage. A database that an engine has open is
    /// checked as of one applied index of it, through a read-only open; a remark says so.
    /// </returns>
    /// <exception cref="IOException">The path is no database and no snapshot, or cannot be read.</exception>
    public static IReadOnlyList<Problem> Check(
        IStorage storage, string path, bool deep, out VerificationTotals totals, Action<string, long>? progress = null)
    {
        var findings = new Findings { Progress = progress };
        var kind = Check(storage, path, deep, findings);
        var name =
            kind switch { PathKind.Database => "database", PathKind.Snapshot => "snapshot", _ => "packed snapshot" };
        totals = new VerificationTotals(
            name, findings.Files, findings.Bytes, findings.Blocks, findings.Rows, findings.Records, findings.Entries);
        return findings.Problems;
    }

    /// <summary>As the others, into <paramref name="findings"/>; says what the path is.</summary>
    internal static PathKind Check(IStorage storage, string path, bool deep, Findings findings)
    {
        ByteOrder.EnsureSupported();
        path = storage.ResolveLink(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        var kind = KindOf(storage, path);
        switch (kind)
        {
            case PathKind.Database:
                new DatabaseCheck(storage, path, deep, findings).Run();
                break;
            case PathKind.Snapshot:
                SnapshotCheck.Run(storage, path, deep, findings);
                break;
            default:
                SnapshotCheck.RunPack(storage, path, deep, findings);
                break;
        }

        return kind;
    }

    /// <summary>Says whether a directory has a database, whole or damaged.</summary>
    public static bool HasDatabase(IStorage storage, string directory) =>
        storage.DirectoryExists(directory) && storage.List(directory) is var names
        && !names.Contains(SnapshotNames.Manifest) && names.Any(IsOfADatabase);

    /// <summary>What a path is, by the names that are there: any of them may be missing.</summary>
    internal static PathKind KindOf(IStorage storage, string path)
    {
        if (!storage.DirectoryExists(path))
            return storage.FileExists(path)
                ? PathKind.PackedSnapshot
                : throw new FileNotFoundException($"{path}: no such file or directory", path);
        var names = storage.List(path);
        if (names.Contains(SnapshotNames.Manifest)) return PathKind.Snapshot;
        if (names.Any(IsOfADatabase)) return PathKind.Database;
        if (names.Any(name => name.EndsWith(SnapshotNames.TableExtension, StringComparison.Ordinal)))
            return PathKind.Snapshot;
        throw new FileNotFoundException($"{path}: neither a database nor a snapshot", path);
    }

    private static bool IsOfADatabase(string name) =>
        name is FileNames.Identity or FileNames.Current
        || FileNames.TryParse(name, FileNames.TableSuffix, out _)
        || FileNames.TryParse(name, FileNames.SegmentSuffix, out _)
        || FileNames.TryParse(name, FileNames.ManifestSuffix, out _);
}

/// <summary>What can be inspected.</summary>
internal enum PathKind
{
    Database,
    Snapshot,
    PackedSnapshot,
}
