namespace Varve.Storage;

/// <summary>
/// What an engine holds of its directory, for files belong to the directory and not to an engine. One writer has it
/// locked. Whoever may have its files mapped without being the writer has a share: a read-only engine, and what open
/// views keep of an engine that is closed, in this process or another. The writer writes over a file only where nobody
/// has a share, and asks (<see cref="IsShared"/>) once the file can be found no more: a share is taken before anything
/// is looked for, so one that the question misses is of somebody who will not find the file.
/// </summary>
internal sealed class DirectoryClaim : IDisposable
{
    private readonly IStorage _storage;
    private readonly string _directory;
    private readonly bool _isWriter;
    private IDisposable _held;

    private DirectoryClaim(IStorage storage, string directory, IDisposable held, bool isWriter) =>
        (_storage, _directory, _held, _isWriter) = (storage, directory, held, isWriter);

    /// <summary>Claims a directory for its one writer; makes it if it is not there.</summary>
    /// <exception cref="AlreadyOpenException">There is one.</exception>
    public static DirectoryClaim Write(IStorage storage, string directory)
    {
        DirectoryTree.CreateDurably(storage, directory);
        var held = storage.TryLock(Path.Combine(directory, FileNames.Lock))
            ?? throw new AlreadyOpenException(directory);
        return new DirectoryClaim(storage, directory, held, isWriter: true);
    }

    /// <summary>Claims a database for a reader; null where there is none. Before anything of it is read.</summary>
    /// <exception cref="IOException">Another program has locked the identity file.</exception>
    public static DirectoryClaim? TryRead(IStorage storage, string directory)
    {
        var identity = Path.Combine(directory, FileNames.Identity);
        if (!storage.FileExists(identity)) return null;
        var held = storage.TryShare(identity)
            ?? throw new IOException(
                $"{identity}: another program holds an exclusive lock on this file; a reader needs a shared one.");
        return new DirectoryClaim(storage, directory, held, isWriter: false);
    }

    /// <summary>Whether anybody but the writer may have files of a database mapped. For the writer.</summary>
    public static bool IsShared(IStorage storage, string directory) =>
        storage.IsShared(Path.Combine(directory, FileNames.Identity));

    /// <summary>
    /// Ends the writing and keeps the files that are mapped: another writer may come, and finds a share. Where no share
    /// can be had the lock stays.
    /// </summary>
    public void KeepMapped()
    {
        if (!_isWriter) return;
        try
        {
            if (_storage.TryShare(Path.Combine(_directory, FileNames.Identity)) is not { } share) return;
            var locked = _held;
            _held = share;
            locked.Dispose();
        }
        catch (IOException)
        {
            // The lock keeps every other writer out until the last view is closed.
        }
    }

    public void Dispose() => _held.Dispose();
}
