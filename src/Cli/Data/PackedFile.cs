using Varve.Cli.Text;
using Varve.Snapshots;
using Varve.Storage;

namespace Varve.Cli.Data;

/// <summary>
/// Packs a snapshot's directory into one file, which gets its name once it is complete and durable.
/// </summary>
internal static class PackedFile
{
    /// <exception cref="UsageException">The path exists.</exception>
    public static void EnsureFree(string file)
    {
        var path = Path.GetFullPath(file);
        if (Path.Exists(path)) throw new UsageException($"{path}: already exists");
    }

    /// <returns>Length of the packed file, in bytes.</returns>
    public static async Task<long> CreateAsync(
        string snapshotDirectory, string file, LongWork progress, CancellationToken cancellationToken)
    {
        EnsureFree(file);
        var all = (double)Math.Max(1, LongWork.BytesOf(snapshotDirectory));
        var path = Path.GetFullPath(file);
        var temporary = path + ".tmp";
        try
        {
            long length;
            await using (var stream = new FileStream(
                temporary, FileMode.Create, FileAccess.Write, FileShare.None, 0, FileOptions.Asynchronous))
            {
                await using var counted = new CountingStream(stream, bytes => progress.Report(bytes, bytes / all));
                await PackWriter.PackAsync(Storages.Default, snapshotDirectory, counted, cancellationToken);
                length = stream.Length;
            }

            using (var written = Storages.Default.Open(temporary, FileIntent.ReadWrite)) written.Sync();
            Storages.Default.Rename(temporary, path);
            Storages.Default.SyncDirectory(Path.GetDirectoryName(path)!);
            return length;
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
