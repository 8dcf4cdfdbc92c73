namespace Varve.Storage;

/// <summary>
/// Replaces small files durably: write a temporary name in the same directory, sync, rename, sync the directory. After
/// a crash at any point the name has the old bytes or the new ones, whole. The next open sweeps a leftover temporary;
/// if it is in use and the file system deletes no such files, a later open does, and the next replacement uses another
/// name.
/// </summary>
internal static class DurableFile
{
    /// <summary>
    /// Puts <paramref name="content"/> under <paramref name="path"/>, durable on return. A failure before the rename
    /// leaves the old file and removes the temporary; a failure after it (the directory's sync) leaves the new file,
    /// not yet durable.
    /// </summary>
    /// <exception cref="IOException">Any step failed. Allow one writer a path: a second one would delete the first
    /// one's temporary as a leftover.</exception>
    public static void Replace(IStorage storage, string path, ReadOnlySpan<byte> content)
    {
        var isRenaming = false;
        Replace(storage, path, content, ref isRenaming);
    }

    /// <summary>
    /// Replaces a file like the other overload. <paramref name="isRenaming"/> is true once a failure no longer means
    /// that the name has the old bytes.
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

    /// <summary>Returns a temporary name that no file has.</summary>
    private static string FreeTemporary(IStorage storage, string path)
    {
        var temporary = path + FileNames.TemporarySuffix;
        TryDelete(storage, temporary);
        while (storage.FileExists(temporary)) temporary += FileNames.TemporarySuffix;
        return temporary;
    }

    private static string DirectoryOf(string path) =>
        Path.GetDirectoryName(path) ?? throw new ArgumentException("A file's path has a directory.", nameof(path));

    /// <summary>Deletes a file that is not needed. The next open sweeps it if it cannot be deleted now.</summary>
    public static void TryDelete(IStorage storage, string path)
    {
        try
        {
            storage.Delete(path);
        }
        catch (IOException)
        {
            // A failure before this one is the one to report.
        }
    }
}
