namespace Varve.Storage;

/// <summary>
/// The file system as the engine sees it. Every byte reaches a disk through it, so that a simulated disk can stand in
/// for a real one. Paths are absolute. Every failure is an <see cref="IOException"/> (a full disk is a
/// <see cref="StorageFullException"/>); nothing is retried. Any thread.
/// </summary>
internal interface IStorage
{
    /// <summary>Creates a missing directory (mode 0700) and its missing parents. The caller syncs the parent.</summary>
    void CreateDirectory(string path);

    bool DirectoryExists(string path);

    bool FileExists(string path);

    /// <summary>
    /// Returns the names (not paths) of the plain files and, with a trailing slash, the directories in a directory, in
    /// ordinal order.
    /// </summary>
    IReadOnlyList<string> List(string directory);

    /// <summary>
    /// Returns the target of a symbolic link, and any other path itself. For paths that a caller named: no other call
    /// follows a link.
    /// </summary>
    string ResolveLink(string path) => path;

    /// <summary>Removes write permission from a file (mode 0400) if the file system has such permissions.</summary>
    void MakeReadOnly(string path) { }

    /// <summary>
    /// Opens a file. <see cref="FileIntent.CreateNew"/> fails if the name exists; new files have mode 0600.
    /// </summary>
    IStorageFile Open(string path, FileIntent intent);

    /// <summary>
    /// Free space of the volume of a directory for this user, in bytes; null if the system does not tell. Never throws.
    /// </summary>
    long? SpaceLeft(string directory) => null;

    /// <summary>Makes the entries of a directory durable.</summary>
    void SyncDirectory(string path);

    /// <summary>
    /// Creates a hard link. Does nothing and returns false if the file system cannot (another device, no hard links).
    /// </summary>
    bool TryLink(string existingPath, string newPath);

    /// <summary>Renames atomically within one file system and replaces the target; never copies.</summary>
    void Rename(string from, string to);

    /// <summary>Deletes a file. A missing file is no error.</summary>
    void Delete(string path);

    /// <summary>Deletes an empty directory. A missing directory is no error.</summary>
    void DeleteDirectory(string path);

    /// <summary>
    /// Takes the advisory lock of a file, which it creates if need be, and of the file's directory if directories can
    /// be locked: deleting the file does not unlock the directory. Null if another holder, in this process or another,
    /// has either lock.
    /// </summary>
    IDisposable? TryLock(string path);

    /// <summary>
    /// Locks a path like <see cref="TryLock"/>, but creates no file: if the file is missing, locks the directory alone.
    /// (A system that cannot lock directories cannot delete a locked file, so there a missing file has no holder.)
    /// </summary>
    IDisposable? TryLockExisting(string path) => FileExists(path) ? TryLock(path) : new AssumedLock();

    /// <summary>
    /// Takes a share of an existing file. There may be any number of shares, and none conflicts with
    /// <see cref="TryLock"/>. Never waits. While one is held, <see cref="IsShared"/> is true in every process. Null if
    /// another program's lock on the file conflicts.
    /// </summary>
    IDisposable? TryShare(string path) => new AssumedShare();

    /// <summary>
    /// True if there is a share of a file, or if the system cannot tell: then no file is ever written over. Takes no
    /// lock.
    /// </summary>
    bool IsShared(string path) => true;

    /// <summary>
    /// Renames an unneeded file and opens it to be written anew from its beginning: blocks and pages in use cost a
    /// fraction of fresh ones. Its size and bytes stay. Does nothing and returns null if the file has a second name
    /// (I7), or if the system cannot tell.
    /// </summary>
    IStorageFile? TryTakeOver(string path, string newPath) => null;
}
