namespace Varve.Storage;

/// <summary>
/// Replaces small files durably: temporary name in the same directory, write, sync, rename, sync the directory. After a
/// crash at any point the name holds the old bytes or the new, whole; a leftover temporary is swept at open. One that
/// is in use, where the file system does not delete such files, is left to a later open, and the next one has another
/// name.
/// </summary>
internal static class DurableFile
{
    /// <summary>
    /// Puts <paramref name="content"/> under <paramref name="path"/>, durable on return. A failure before the rename
    /// leaves the old file and removes the temporary; a failure after it (the directory's sync) leaves the new file,
    /// not yet durable.
    /// </summary>
    /// <exception cref="IOException">Any step failed. One writer a path: a second would take the first's temporary for
    /// a leftover.</exception>
    public static void Replace(IStorage storage, string path, ReadOnlySpan<byte> content)
    {
        var isRenaming = false;
        Replace(storage, path, content, ref isRenaming);
    }

    /// <summary>
    /// As the other; <paramref name="isRenaming"/> is set as soon as a failure no longer means that the old file is
    /// there.
    /// </summary>
    public static void Replace(IStorage storage, string path, ReadOnlySpan<byte> content, ref bool isRenaming)
    {
        var temporary = FreeTemporary(storage, path);
        try
        {
            using (var file = storage.Open(temporary, FileIntent.CreateNew))
            {
                file.Write(0, content);
                file.Sync();
            }

            isRenaming = true;
            storage.Rename(temporary, path);
        }
        catch
        {
            TryDelete(storage, temporary);
            throw;
        }

        storage.SyncDirectory(DirectoryOf(path));
    }

    /// <summary>A temporary name that no file has.</summary>
    private static string FreeTemporary(IStorage storage, string path)
    {
        var temporary = path + FileNames.TemporarySuffix;
        TryDelete(storage, temporary);
        while (storage.FileExists(temporary)) temporary += FileNames.TemporarySuffix;
        return temporary;
    }

    private static string DirectoryOf(string path) =>
        Path.GetDirectoryName(path) ?? throw new ArgumentException("A file's path has a directory.", nameof(path));

    /// <summary>Deletes a file that nobody needs, if that can be done now: else the next open sweeps it.</summary>
    public static void TryDelete(IStorage storage, string path)
    {
        try
        {
            storage.Delete(path);
        }
        catch (IOException)
        {
            // If a failure brought us here, that is the one to report.
        }
    }
}
