using System.IO.Hashing;
using Varve.Format;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Recovery;

/// <summary>
/// CURRENT, the manifest, the tables and the log of a directory, read together.
/// <para>
/// The problem: a reader opens the files one by one while a writer replaces them. A file may be gone by its turn, or
/// half changed, so it looks damaged. <see cref="Beside"/> therefore reads everything again if it meets damage and the
/// directory has changed since the last attempt. Damage in an unchanged directory is damage.
/// </para>
/// </summary>
/// <param name="Manifest">The manifest.</param>
/// <param name="Runs">Its tables, opened; the caller has one reference to each.</param>
/// <param name="Log">The log from the manifest's first segment on; null: it names none yet.</param>
internal sealed record DirectoryLook(ManifestStore Manifest, Run[] Runs, RecoveredLog? Log)
{
    /// <summary>
    /// The most attempts. Each keeps the tables that the one before opened, so it is shorter: a writer would have to
    /// outrun the open of the last few files each time.
    /// </summary>
    private const int LooksMax = 1000;

    /// <summary>Reads once.</summary>
    /// <param name="storage">The file system.</param>
    /// <param name="directory">The database.</param>
    /// <param name="databaseId">The identity that every file must have.</param>
    /// <param name="numbers">Raised above the numbers in use.</param>
    /// <param name="options">The options of the open.</param>
    /// <param name="known">Tables that are open already; receives those that this opens. Null: none are.</param>
    public static DirectoryLook Take(
        IStorage storage, string directory, Guid databaseId, FileNumbers numbers, EngineOptions options,
        Dictionary<ulong, TableHandle>? known = null)
    {
        var manifest = ManifestStore.Load(storage, directory, ReadCurrent(storage, directory, databaseId), numbers);
        Run[] runs = [];
        try
        {
            runs = RunOpener.Open(
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
    /// Reads beside a writer, until a whole attempt met no change. The caller has a share of the directory.
    /// </summary>
    /// <inheritdoc cref="Take" path="/param"/>
    public static DirectoryLook TakeBeside(
        IStorage storage, string directory, Guid databaseId, FileNumbers numbers, EngineOptions options,
        Dictionary<ulong, TableHandle> known) =>
        Beside(storage, directory, () => Take(storage, directory, databaseId, numbers, options, known));

    /// <summary>
    /// Runs <paramref name="read"/> on the files of a database, again if it meets damage and the directory has changed
    /// since.
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
                        $"{directory}: {look} attempts to read met files that the writer was changing; open again.", e);
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
    /// A hash that changes with the manifest and with the set of segments: a writer changes one of them before it
    /// deletes a file that was named.
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
                // Deleted since the listing, so the stamp differs.
            }
        }
    }
}
