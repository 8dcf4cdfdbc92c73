using System.IO.Hashing;
using Varve.Format;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Recovery;

/// <summary>
/// What CURRENT, the manifest, the tables and the log say together: of a directory that holds still, or of one that a
/// writer changes meanwhile. There the files are opened one by one, and each may be gone by the time that it is opened,
/// or be in the midst of a change; so what looks like damage is looked at again (<see cref="TakeBeside"/>). Only damage
/// in a directory that has not moved since is damage.
/// </summary>
/// <param name="Manifest">What it says.</param>
/// <param name="Runs">Its tables, open; the caller's one reference each.</param>
/// <param name="Log">The log from the segment on that the manifest names; null: it names none yet.</param>
internal sealed record DirectoryLook(ManifestStore Manifest, Run[] Runs, RecoveredLog? Log)
{
    /// <summary>
    /// So often: each look keeps the tables that the one before opened, so that it is shorter, and the writer has to be
    /// faster than the last few files are opened.
    /// </summary>
    private const int LooksMax = 1000;

    /// <summary>Looks once.</summary>
    /// <param name="storage">The file system.</param>
    /// <param name="directory">The database.</param>
    /// <param name="databaseId">Whose files they have to be.</param>
    /// <param name="numbers">Learns of the numbers in use.</param>
    /// <param name="options">How files are opened.</param>
    /// <param name="known">Tables that are open already; takes those that are opened. Null: none are.</param>
    public static DirectoryLook Take(
        IStorage storage, string directory, Guid databaseId, FileNumbers numbers, EngineOptions options,
        Dictionary<ulong, TableHandle>? known = null)
    {
        var manifest = ManifestStore.Load(storage, directory, ReadCurrent(storage, directory, databaseId), numbers);
        Run[] runs = [];
        try
        {
            runs = VersionSet.OpenRuns(
                storage, directory, manifest.Content.Runs, manifest.Content.State.HashSeed, options, known);
            if (manifest.Content.FirstSegment == 0) return new DirectoryLook(manifest, runs, null);
            var access = options.ReadOnly
                ? MappingAccess.Table
                : options.Durability == Durability.Process ? MappingAccess.Segment
                : MappingAccess.SyncedSegment;
            return new DirectoryLook(
                manifest, runs, WalRecovery.Run(storage, directory, databaseId, manifest.Content.FirstSegment, access));
        }
        catch
        {
            foreach (var table in runs.SelectMany(run => run.Tables)) table.Release();
            manifest.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Looks until nothing changed that the look depends on: beside a writer. The caller has a share of the directory.
    /// </summary>
    /// <inheritdoc cref="Take" path="/param"/>
    public static DirectoryLook TakeBeside(
        IStorage storage, string directory, Guid databaseId, FileNumbers numbers, EngineOptions options,
        Dictionary<ulong, TableHandle> known) =>
        Beside(storage, directory, () => Take(storage, directory, databaseId, numbers, options, known));

    /// <summary>
    /// Does something that reads the files of a database, and does it again where it met damage and the directory has
    /// moved.
    /// </summary>
    public static T Beside<T>(IStorage storage, string directory, Func<T> read)
    {
        UInt128? before = null;
        for (var look = 1; ; look++)
        {
            try
            {
                return read();
            }
            catch (Exception e) when (e is CorruptionException or FileNotFoundException or EndOfStreamException)
            {
                var now = Stamp(storage, directory);
                if (now == before) throw;
                before = now;
                if (look == LooksMax)
                    throw new IOException(
                        $"{directory}: {look} looks met files that the writer had changed meanwhile.", e);
            }
        }
    }

    /// <summary>Reads the file that names the manifest.</summary>
    public static PointerFile ReadCurrent(IStorage storage, string directory, Guid databaseId)
    {
        var path = Path.Combine(directory, FileNames.Current);
        if (!storage.FileExists(path)) throw CorruptionException.Of(path, 0, "current", "no such file");
        var current = DatabaseOpener.ReadPointer(storage, path);
        if (current.DatabaseId != databaseId)
            throw CorruptionException.Of(
                path, 16, "current", $"database id is {current.DatabaseId}, IDENTITY says {databaseId}",
                $"{databaseId}", $"{current.DatabaseId}");
        return current;
    }

    /// <summary>
    /// Differs once a writer has changed the manifest, or which segments there are: before a file that was named goes,
    /// one of them does.
    /// </summary>
    private static UInt128 Stamp(IStorage storage, string directory)
    {
        var hash = new XxHash128();
        foreach (var name in storage.List(directory))
        {
            if (!FileNames.TryParse(name, FileNames.SegmentSuffix, out var number)
                && !FileNames.TryParse(name, FileNames.ManifestSuffix, out number))
                continue;
            hash.Append(BitConverter.GetBytes(number));
            if (name.EndsWith(FileNames.ManifestSuffix, StringComparison.Ordinal))
                Append(Path.Combine(directory, name));
        }

        Append(Path.Combine(directory, FileNames.Current));
        return hash.GetCurrentHashAsUInt128();

        void Append(string path)
        {
            try
            {
                using var file = storage.Open(path, FileIntent.Read);
                var bytes = new byte[Math.Min(file.Length, Array.MaxLength)];
                file.Read(0, bytes);
                hash.Append(bytes);
            }
            catch (FileNotFoundException)
            {
                // Gone since it was listed, as the stamp now says.
            }
        }
    }
}
