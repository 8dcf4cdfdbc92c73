using Varve.Format;
using Varve.Storage;

namespace Varve.Inspection;

/// <summary>
/// Reads a database or a snapshot in place and reports every problem. Creates and writes nothing. Continues behind
/// every damage. Throws for no content of a file, only if the file system refuses access.
/// </summary>
internal static class Verification
{
    /// <summary>Checks a database's directory, a snapshot's directory, or a packed snapshot, without totals.</summary>
    public static IReadOnlyList<Problem> Check(IStorage storage, string path, bool deep) =>
        Check(storage, path, deep, out _);

    /// <summary>Checks a database's directory, a snapshot's directory, or a packed snapshot.</summary>
    /// <param name="storage">The file system.</param>
    /// <param name="path">Path of the database or snapshot.</param>
    /// <param name="deep">
    /// False: checks the parts that an open reads, which are pointers, manifest, log and table footers. True: checks
    /// every block, row and operation, too, and each against every other statement about it.
    /// </param>
    /// <param name="totals">The amounts that were read.</param>
    /// <param name="progress">Receives now and then the path of the file and the bytes read of all files; may be
    /// null.</param>
    /// <returns>
    /// Damage and remarks; the database is sound if there are only remarks. A database that an engine has open is
    /// checked at one applied index, through a read-only open; a remark says so.
    /// </returns>
    /// <exception cref="IOException">There is no database or snapshot at the path, or it cannot be read.</exception>
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

    /// <summary>Checks a path into <paramref name="findings"/>, and returns its kind.</summary>
    internal static PathKind Check(IStorage storage, string path, bool deep, Findings findings)
    {
        Processor.Own.EnsureSupported();
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

    /// <summary>True if a directory holds a database, intact or damaged.</summary>
    public static bool HasDatabase(IStorage storage, string directory) =>
        storage.DirectoryExists(directory) && storage.List(directory) is var names
        && !names.Contains(SnapshotNames.Manifest) && names.Any(IsOfADatabase);

    /// <summary>The kind of a path, by the names of its files. Any of them may be missing.</summary>
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
