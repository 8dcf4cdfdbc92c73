using Varve.Format;
using Varve.Runtime;
using Varve.Storage;
using Varve.Versions;

namespace Varve.Recovery;

/// <summary>
/// Makes an empty database in a directory without an identity file. A directory that has tables or segments but no
/// identity file is corrupt, never new.
/// </summary>
internal sealed class DatabaseCreator(
    IStorage storage, string directory, EngineOptions options, OrphanSweeper sweeper)
{
    /// <summary>Makes the database; the identity file comes last.</summary>
    /// <exception cref="CorruptionException">The directory has files of a database that had an identity.</exception>
    public void Create()
    {
        var names = storage.List(directory);
        if (Remains(names) is { } remains) throw MissingIdentity(PathOf(FileNames.Identity), remains);
        sweeper.SweepDebris(names);
        foreach (var name in names)
            if (name == FileNames.Current || FileNames.TryParse(name, FileNames.ManifestSuffix, out _))
                storage.Delete(PathOf(name));

        // An earlier open may have made the directory and ended before its name was durable.
        if (Path.GetDirectoryName(directory) is { Length: > 0 } parent) storage.SyncDirectory(parent);

        // Without an identity file, the next open takes all of this for a creation that was cut off.
        var id = Guid.NewGuid();
        var seed = options.HashSeed ?? HashSeeds.Next();
        var state = MachineState.Empty(seed, (StoredLeaseClock)options.LeaseClock);
        ManifestStore.Create(
            storage, directory, id, new FileNumbers(1),
            new VersionEdit { NextFileNumber = 1, FirstSegment = 0, State = state }).Dispose();
        DurableFile.Replace(storage, PathOf(FileNames.Identity), new PointerFile(id, 0).Encode());
    }

    /// <summary>The exception of a read-only open that finds no identity file.</summary>
    public static IOException NoDatabase(IStorage storage, string directory)
    {
        var identity = Path.Combine(directory, FileNames.Identity);
        var names = storage.List(directory);
        // A writer may have made it meanwhile, and other files after it.
        var remains = storage.FileExists(identity) ? null : Remains(names);
        return remains is null
            ? new FileNotFoundException($"{directory}: no database to open read-only.", identity)
            : MissingIdentity(identity, remains);
    }

    /// <summary>A file that only a database has which once had an identity.</summary>
    private static string? Remains(IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            if (FileNames.TryParse(name, FileNames.TableSuffix, out _)
                || FileNames.TryParse(name, FileNames.SegmentSuffix, out _))
                return name;
        }

        return null;
    }

    private static CorruptionException MissingIdentity(string path, string remains) =>
        new(path, 0, "identity", "an identity file beside " + remains, "none");

    private string PathOf(string name) => Path.Combine(directory, name);
}
