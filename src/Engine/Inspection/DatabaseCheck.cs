using Varve.Contract;
using Varve.Format;
using Varve.Storage;

namespace Varve.Inspection;

/// <summary>
/// Checks a database's directory: pointers and manifest, then tables and log.
/// </summary>
internal sealed class DatabaseCheck(IStorage storage, string directory, bool deep, Findings findings)
{
    private readonly HashSet<string> _known = [FileNames.Lock, FileNames.Identity, FileNames.Current];

    public void Run()
    {
        IDisposable? hold;
        try
        {
            hold = DirectoryHold.TryLock(storage, directory, findings);
        }
        catch (AlreadyOpenException)
        {
            LiveCheck.Run(storage, directory, deep, findings);
            return;
        }

        using var still = hold;
        var names = storage.List(directory);
        if (!names.Contains(FileNames.Identity) && !names.Any(IsTableOrSegment))
        {
            findings.Remark(
                directory, 0, CorruptionKind.Identity,
                "no such file and no data: an interrupted creation; an open repeats it");
            return;
        }

        var root = DatabaseRoot.Read(storage, directory, names, findings);
        if (root.ManifestName is { } manifest) _known.Add(manifest);
        CheckTables(root, names);
        if (root.FirstSegment is { } first)
            new LogCheck(storage, directory, deep, findings).Run(
                root.DatabaseId, first, root.Content?.State ?? MachineState.Empty(0, StoredLeaseClock.Local));
        if (deep) RemarkOrphans(names);
    }

    private void CheckTables(DatabaseRoot root, IReadOnlyList<string> names)
    {
        var tables = new List<(string Path, AddedTable Table)>();
        foreach (var table in root.Content?.Runs.SelectMany(run => run) ?? [])
        {
            var name = FileNames.Table(table.Table.Number);
            _known.Add(name);
            // A damaged manifest may have dropped the table in a lost edit.
            if (!root.IsSound && !names.Contains(name))
                findings.Remark(PathOf(name), 0, CorruptionKind.Table, "no such file, the damaged manifest names it");
            else tables.Add((PathOf(name), table));
        }

        ulong? hashSeed = root.Content is { HasState: true } content ? content.State.HashSeed : null;
        if (root.IsSound)
        {
            TableCheck.RunAll(storage, tables, hashSeed, deep, findings);
            return;
        }

        // A lost edit may have dropped named tables, so named tables may overlap.
        foreach (var (path, table) in tables) TableCheck.Run(storage, path, table.Table, hashSeed, deep, findings);
        foreach (var name in names)
        {
            if (!FileNames.TryParse(name, FileNames.TableSuffix, out var number) || !_known.Add(name)) continue;
            TableCheck.RunUnnamed(storage, PathOf(name), number, root.DatabaseId, deep, findings);
        }
    }

    private void RemarkOrphans(IReadOnlyList<string> names)
    {
        foreach (var name in names.Order(StringComparer.Ordinal))
        {
            if (_known.Contains(name)) continue;
            // A segment of the log, or one kept for reuse.
            if (FileNames.TryParse(name, FileNames.SegmentSuffix, out _)) continue;
            var isOurs = FileNames.IsTemporary(name) || FileNames.IsStaging(name) || IsTableOrSegment(name)
                || FileNames.TryParse(name, FileNames.ManifestSuffix, out _);
            findings.Remark(
                PathOf(name), 0, isOurs ? "orphan" : "unknown file",
                isOurs ? "a crash left it; the next open deletes it" : "not a file of the database; ignored");
        }
    }

    private static bool IsTableOrSegment(string name) =>
        FileNames.TryParse(name, FileNames.TableSuffix, out _)
        || FileNames.TryParse(name, FileNames.SegmentSuffix, out _);

    private string PathOf(string name) => Path.Combine(directory, name);
}
