namespace Varve.Storage;

/// <summary>
/// An engine's claim to its directory: files belong to the directory, not to an engine. The one writer has the
/// directory locked. Others that may have its files mapped have a share: a read-only engine, and a closed engine with
/// open views, in this process or another.
/// <para>
/// The writer writes over a file only if there is no share (I8). It asks (<see cref="IsShared"/>) once the file has
/// lost its name. A reader takes its share before it looks for any file, so a share that the question misses belongs to
/// a reader that cannot find the file.
/// </para>
/// </summary>
internal sealed class DirectoryClaim : IDisposable
{
    private readonly IStorage _storage;
    private readonly string _directory;
    private readonly bool _isWriter;
    private IDisposable _held;

    private DirectoryClaim(IStorage storage, string directory, IDisposable held, bool isWriter) =>
        (_storage, _directory, _held, _isWriter) = (storage, directory, held, isWriter);

    /// <summary>Claims a directory for its one writer. Makes the directory if it does not exist.</summary>
    /// <exception cref="AlreadyOpenException">The directory has a writer.</exception>
    public static DirectoryClaim Write(IStorage storage, string directory)
    {
        DirectoryTree.CreateDurably(storage, directory);
        var held = storage.TryLock(Path.Combine(directory, FileNames.Lock))
            ?? throw new AlreadyOpenException(directory);
        return new DirectoryClaim(storage, directory, held, isWriter: true);
    }

    /// <summary>
    /// Claims a database for a reader, before the reader reads any of it. Null if there is no database.
    /// </summary>
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

    /// <summary>True if another engine may have files of the database mapped. For the writer.</summary>
    public static bool IsShared(IStorage storage, string directory) =>
        storage.IsShared(Path.Combine(directory, FileNames.Identity));

    /// <summary>
    /// Replaces the writer's lock by a share, so that another writer may open the directory while this engine's files
    /// stay mapped. Keeps the lock if no share can be had.
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
