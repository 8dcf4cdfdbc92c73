namespace Varve.Storage;

/// <summary>Directories of ours: staging areas, half-made snapshots.</summary>
internal static class DirectoryTree
{
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
