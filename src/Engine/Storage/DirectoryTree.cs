namespace Varve.Storage;

/// <summary>Directories of ours: staging areas, half-made snapshots.</summary>
internal static class DirectoryTree
{
    /// <summary>
    /// Makes a directory and the parents that it lacks, each with a durable name before the next is made in it.
    /// </summary>
    public static void CreateDurably(IStorage storage, string directory)
    {
        if (storage.DirectoryExists(directory) || Path.GetDirectoryName(directory) is not { Length: > 0 } parent)
            return;
        CreateDurably(storage, parent);
        storage.CreateDirectory(directory);
        storage.SyncDirectory(parent);
    }

    /// <summary>As <see cref="Delete"/>, as far as that can be done now.</summary>
    public static void TryDelete(IStorage storage, string directory)
    {
        try
        {
            Delete(storage, directory);
        }
        catch (IOException)
        {
            // Something in it is in use, say.
        }
    }

    /// <summary>Removes a directory with all that is in it; what is not there is not an error.</summary>
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
