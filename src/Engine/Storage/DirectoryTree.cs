namespace Varve.Storage;

/// <summary>Creates and deletes the engine's own directories: staging areas, unfinished snapshots.</summary>
internal static class DirectoryTree
{
    /// <summary>
    /// Creates a directory and its missing parents. Each has a durable name before the next is created in it.
    /// </summary>
    public static void CreateDurably(IStorage storage, string directory)
    {
        if (storage.DirectoryExists(directory) || Path.GetDirectoryName(directory) is not { Length: > 0 } parent)
            return;
        CreateDurably(storage, parent);
        storage.CreateDirectory(directory);
        storage.SyncDirectory(parent);
    }

    /// <summary>Deletes a directory like <see cref="Delete"/>, but leaves files that cannot be deleted now.</summary>
    public static void TryDelete(IStorage storage, string directory)
    {
        try
        {
            Delete(storage, directory);
        }
        catch (IOException)
        {
            // A file may be in use.
        }
    }

    /// <summary>Deletes a directory and its contents. A missing directory is no error.</summary>
    public static void Delete(IStorage storage, string directory)
    {
        if (!storage.DirectoryExists(directory)) return;
        foreach (var name in storage.List(directory))
        {
            var path = Path.Combine(directory, name.TrimEnd('/'));
            if (name.EndsWith('/')) Delete(storage, path);
            else storage.Delete(path);
        }

        storage.DeleteDirectory(directory);
    }
}
