using Varve.Storage;

namespace Varve.Inspection;

/// <summary>
/// Holds the writer's lock of a database during an inspection, so no engine opens it for writing. Does not create a
/// missing lock file: an engine may run without the file, and holds the lock of the directory.
/// </summary>
internal static class DirectoryHold
{
    /// <summary>Takes the lock; null, after a remark, if the file system refuses.</summary>
    /// <exception cref="AlreadyOpenException">An engine has the directory open.</exception>
    public static IDisposable? TryLock(IStorage storage, string directory, Findings findings)
    {
        var path = Path.Combine(directory, FileNames.Lock);
        try
        {
            return storage.TryLockExisting(path) ?? throw new AlreadyOpenException(directory);
        }
        catch (IOException e) when (e is not AlreadyOpenException)
        {
            // The file is another user's, or the file system is read-only: the inspection continues.
            findings.Remark(
                path, 0, "lock",
                $"cannot take the lock; an engine may be running here ({e.Message})");
            return null;
        }
    }
}
