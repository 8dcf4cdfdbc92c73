using Varve.Storage;

namespace Varve.Inspection;

/// <summary>
/// Keeps engines from a database while it is inspected, by the lock that an engine takes. A lock file that is missing
/// is not made: an engine may be at work without it, and is known by the lock of the directory.
/// </summary>
internal static class DirectoryHold
{
    /// <exception cref="AlreadyOpenException">An engine has the directory open.</exception>
    public static IDisposable? Take(IStorage storage, string directory, Findings findings)
    {
        var path = Path.Combine(directory, FileNames.Lock);
        try
        {
            return storage.TryLockExisting(path) ?? throw new AlreadyOpenException(directory);
        }
        catch (IOException e) when (e is not AlreadyOpenException)
        {
            // Another user's, or a file system mounted read-only: reading may go on, with a word.
            findings.Remark(
                path, 0, "lock",
                $"lock cannot be taken, so it is not known whether an engine is at work here ({e.Message})");
            return null;
        }
    }
}
