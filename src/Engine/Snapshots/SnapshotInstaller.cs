using System.IO.Hashing;
using System.Security.Cryptography;
using CommunityToolkit.HighPerformance.Buffers;
using Varve.Format;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;

namespace Varve.Snapshots;

/// <summary>
/// Copies a snapshot into the database's directory as verified, synced tables with new file numbers, which nothing
/// names yet (I4, I6). Copies, never links: the maker of the snapshot may still write to its files (I7). Checks before
/// use: the manifest's checksum, version and bounds; each table's name (derived from the manifest, so no path can be
/// hostile), length and hash; then every block of every table.
/// </summary>
internal sealed class SnapshotInstaller(VersionSet versions, EngineOptions options, CancellationToken token)
{
    private const int CopyPiece = 256 << 10;

    /// <summary>
    /// A staged snapshot: the verified manifest, its tables with new numbers, and the opened runs (one reference each,
    /// the caller's).
    /// </summary>
    internal sealed record Staged(SnapshotManifest Manifest, AddedTable[] Tables, Run[] Runs);

    /// <summary>Stages a snapshot directory or a packed file.</summary>
    /// <param name="metadata">Position and checksum that the snapshot must have.</param>
    /// <param name="path">Path of the snapshot.</param>
    /// <exception cref="SnapshotRejectedException">The snapshot is damaged, or not the announced one.</exception>
    /// <exception cref="UnsupportedFormatException">The snapshot is intact and of a newer build.</exception>
    public Staged Stage(SnapshotMetadata metadata, string path)
    {
        var storage = versions.Storage;
        var staging = versions.PathOf(FileNames.Staging(versions.Numbers.Next()));
        var moved = new List<string>();
        try
        {
            storage.CreateDirectory(staging);
            path = storage.ResolveLink(path); // the caller's path may be a link, a file inside may not
            // Asked once: the path may name something else at the next question.
            var manifest = storage.DirectoryExists(path)
                ? Gather(metadata, path, staging)
                : Checked(metadata, path, PackUnpacker.Unpack(storage, path, staging, token));
            var tables = new AddedTable[manifest.Tables.Length];
            var orders = manifest.Tables.Select(table => table.RunOrder).Distinct().Count();
            var order = (ulong)orders + 1;
            var previous = (ulong?)null;
            for (var i = 0; i < tables.Length; i++)
            {
                var (runOrder, table) = manifest.Tables[i];
                if (runOrder != previous) order--; // runs are numbered anew, from 1 for the oldest
                previous = runOrder;
                tables[i] = new AddedTable(order, table with { Number = versions.Numbers.Next() });
                var final = versions.PathOf(FileNames.Table(tables[i].Table.Number));
                storage.Rename(Path.Combine(staging, SnapshotNames.Table(table)), final);
                moved.Add(final);
            }

            storage.SyncDirectory(versions.Directory);
            var runs = OpenAndVerify(tables, manifest.State.HashSeed);
            DirectoryTree.Delete(storage, staging);
            return new Staged(manifest, tables, runs);
        }
        catch (Exception e)
        {
            DeleteStaging(staging, moved);
            if (e is FileNotFoundException or DirectoryNotFoundException or EndOfStreamException or CorruptionException)
                throw new SnapshotRejectedException(path, e.Message, e);
            throw;
        }
    }

    /// <summary>Deletes staged tables that no version took.</summary>
    public void DeleteStaged(Staged staged)
    {
        foreach (var table in staged.Runs.SelectMany(run => run.Tables))
        {
            table.DropFile();
            table.Release();
        }
    }

    /// <summary>Releases staged tables whose files stay: a version holds them, or the next open decides.</summary>
    public static void Release(Staged staged)
    {
        foreach (var table in staged.Runs.SelectMany(run => run.Tables)) table.Release();
    }

    /// <summary>Checks the manifest of a snapshot directory, and copies its tables into staging.</summary>
    private SnapshotManifest Gather(SnapshotMetadata metadata, string source, string staging)
    {
        var bytes = SnapshotFiles.ReadManifestFile(versions.Storage, source);
        EnsureAnnounced(metadata, source, bytes); // before the bytes are decoded
        var manifest = Checked(metadata, source, SnapshotFiles.DecodeOrRefuse(bytes, source));
        foreach (var (_, table) in manifest.Tables) Copy(source, staging, table);
        return manifest;
    }

    private static void EnsureAnnounced(SnapshotMetadata metadata, string source, ReadOnlySpan<byte> file)
    {
        Span<byte> checksum = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(file, checksum);
        if (!checksum.SequenceEqual(metadata.Checksum.Span)) throw new SnapshotRejectedException(
            source,
            $"manifest checksum is {Convert.ToHexStringLower(checksum)}, metadata says "
                + $"{Convert.ToHexStringLower(metadata.Checksum.Span)}");
    }

    private SnapshotManifest Checked(SnapshotMetadata metadata, string source, ManifestFile read)
    {
        EnsureAnnounced(metadata, source, read.Bytes);
        var manifest = read.Manifest;
        if (manifest.State.LastIndex != metadata.LastIncluded.Index
            || manifest.State.LastTerm != metadata.LastIncluded.Term)
            throw new SnapshotRejectedException(
                source,
                $"snapshot is at ({manifest.State.LastIndex}, {manifest.State.LastTerm}), metadata says ("
                    + $"{metadata.LastIncluded.Index}, {metadata.LastIncluded.Term})");
        if ((LeaseClock)manifest.State.LeaseClock != options.LeaseClock)
            throw new SnapshotRejectedException(
                source,
                $"snapshot has the lease clock {(LeaseClock)manifest.State.LeaseClock}, this database has "
                    + $"{options.LeaseClock}");
        Int128 rows = 0; // claimed counts: their sum may exceed 64 bits
        foreach (var (_, table) in manifest.Tables) rows += table.RowCount - table.TombstoneCount;
        if (manifest.State.LiveCount < 0 || manifest.State.LiveCount > rows)
            throw new SnapshotRejectedException(
                source, $"snapshot counts {manifest.State.LiveCount} live keys in {rows} rows");
        return manifest;
    }

    private void Copy(string source, string staging, TableDescriptor table)
    {
        var name = SnapshotNames.Table(table);
        using var from = SnapshotFiles.OpenPart(versions.Storage, Path.Combine(source, name));
        if (from.Length != table.Length)
            throw new SnapshotRejectedException(
                from.Path, $"table length is {from.Length}, manifest says {table.Length}");
        using var to = versions.Storage.Open(Path.Combine(staging, name), FileIntent.CreateNew);
        using var buffer = MemoryOwner<byte>.Allocate(CopyPiece);
        var hash = new XxHash128();
        for (long offset = 0; offset < table.Length; offset += CopyPiece)
        {
            token.ThrowIfCancellationRequested();
            var piece = buffer.Span[..(int)Math.Min(CopyPiece, table.Length - offset)];
            from.Read(offset, piece);
            hash.Append(piece);
            to.Write(offset, piece);
        }

        if (hash.GetCurrentHashAsUInt128() is var computed && computed != table.Hash)
            throw new SnapshotRejectedException(
                from.Path, $"table hash is {computed:x32}, manifest says {table.Hash:x32}");
        to.Sync();
    }

    private Run[] OpenAndVerify(AddedTable[] tables, ulong hashSeed)
    {
        var runs = RunOpener.Open(
            versions.Storage, versions.Directory, tables.GroupBy(table => table.RunOrder), hashSeed, options);
        try
        {
            foreach (var table in runs.SelectMany(run => run.Tables)) table.Table.Verify(token: token);
            return runs;
        }
        catch
        {
            foreach (var table in runs.SelectMany(run => run.Tables)) table.Release();
            throw;
        }
    }

    private void DeleteStaging(string staging, List<string> moved)
    {
        try
        {
            DirectoryTree.Delete(versions.Storage, staging);
            foreach (var path in moved) versions.Storage.Delete(path);
        }
        catch (IOException)
        {
            // The caller reports the first failure. The next open deletes the orphans.
        }
    }
}
