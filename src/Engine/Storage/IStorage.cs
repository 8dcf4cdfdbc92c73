namespace Varve.Storage;

/// <summary>
/// The file system as the engine sees it: the one seam through which every byte reaches a disk, so that a simulated
/// disk can stand in for a real one. Paths are absolute. Every failure is an <see cref="IOException"/> (a full disk is
/// a <see cref="StorageFullException"/>); nothing is retried here. Safe for any thread.
/// </summary>
internal interface IStorage
{
    /// <summary>Creates a directory (mode 0700) if it is not there; parents too. The caller syncs the parent.</summary>
    void CreateDirectory(string path);

    bool DirectoryExists(string path);

    bool FileExists(string path);

    /// <summary>
    /// Names (not paths) of the plain files and, with a trailing slash, the directories in a directory, in ordinal
    /// order.
    /// </summary>
    IReadOnlyList<string> List(string directory);

    /// <summary>
    /// What a path names, if it is a symbolic link; the path itself otherwise. For paths that a caller named: nothing
    /// else follows a link.
    /// </summary>
    string ResolveLink(string path) => path;

    /// <summary>
    /// Takes the permission to write from a file, as far as the file system has such permissions (mode 0400).
    /// </summary>
    void MakeReadOnly(string path) { }

    /// <summary>
    /// Opens a file. <see cref="FileIntent.CreateNew"/> fails when the name exists; new files have mode 0600.
    /// </summary>
    IStorageFile Open(string path, FileIntent intent);

    /// <summary>Makes the entries of a directory durable.</summary>
    void SyncDirectory(string path);

    /// <summary>
    /// Makes a second name for a file. False, with nothing done, where the file system cannot (other device, no links).
    /// </summary>
    bool TryLink(string existingPath, string newPath);

    /// <summary>Renames atomically within one file system, replacing the target; never copies.</summary>
    void Rename(string from, string to);

    /// <summary>Removes a file; removing what is not there is not an error.</summary>
    void Delete(string path);

    /// <summary>Removes an empty directory; removing what is not there is not an error.</summary>
    void DeleteDirectory(string path);

    /// <summary>
    /// Takes the advisory lock of a file, created if need be, and of the directory that it is in, where directories can
    /// be locked: removing the file does not free the directory. Null when another holder, in this process or another,
    /// has either.
    /// </summary>
    IDisposable? TryLock(string path);

    /// <summary>
    /// As <see cref="TryLock"/>, but makes no file: if it is missing, the directory alone is locked, where directories
    /// can be locked. (Where they cannot, a file that is locked cannot be removed either, and a missing one is
    /// nobody's.)
    /// </summary>
    IDisposable? TryLockExisting(string path) => FileExists(path) ? TryLock(path) : new AssumedLock();

    /// <summary>
    /// Takes a share of a file that is there; any number of holders, and none of them is in the way of
    /// <see cref="TryLock"/>. Never waits. While it is held, <see cref="IsShared"/> is true in every process. Null
    /// where another program has locked the file against it.
    /// </summary>
    IDisposable? TryShare(string path) => new AssumedShare();

    /// <summary>
    /// Whether anybody holds a share of a file. Takes no lock. True where it cannot be told: then no file is ever
    /// written over.
    /// </summary>
    bool IsShared(string path) => true;

    /// <summary>
    /// Gives a file that nothing needs any more another name and opens it, to be written anew from its beginning:
    /// blocks and memory that are in use cost a fraction of fresh ones. Its size and bytes stay as they are. Null, with
    /// nothing done, where it has a second name (invariant I7), or where that cannot be told.
    /// </summary>
    IStorageFile? TryTakeOver(string path, string newPath) => null;
}

/// <summary>What a file is opened for.</summary>
internal enum FileIntent
{
    /// <summary>An existing file, to read.</summary>
    Read,

    /// <summary>An existing file, to read and write.</summary>
    ReadWrite,

    /// <summary>A file that must not exist yet, to read and write.</summary>
    CreateNew,
}

/// <summary>
/// An open file. Positioned reads and writes from any thread; disposing does not sync and does not unmap.
/// </summary>
internal interface IStorageFile : IDisposable
{
    string Path { get; }

    long Length { get; }

    /// <summary>Reads exactly the span; an early end of the file is an <see cref="EndOfStreamException"/>.</summary>
    void Read(long offset, Span<byte> destination);

    /// <summary>Writes the whole span, extending the file if need be.</summary>
    void Write(long offset, ReadOnlySpan<byte> source);

    /// <summary>
    /// Reserves blocks for the first <paramref name="length"/> bytes and grows the size to it, so that a mapped store
    /// never meets a full disk. Never shrinks; the new bytes read as zeros.
    /// </summary>
    void Allocate(long length);

    /// <summary>
    /// Cuts the file off. No mapping may reach beyond the new end. Only of files from
    /// <see cref="IStorage.TryTakeOver"/>.
    /// </summary>
    void Truncate(long length) => throw new NotSupportedException();

    /// <summary>
    /// Has the device begin to write what is dirty in a range, and does not wait for it. Promises nothing, and reports
    /// no error: a <see cref="Sync()"/> that follows has less left to wait for, and it reports what went wrong in the
    /// meantime.
    /// </summary>
    void BeginSync(long offset, long length) { }

    /// <summary>
    /// Has the device begin to read a range into the page cache, and does not wait for it. Advice: failure is ignored.
    /// </summary>
    void BeginRead(long offset, long length) { }

    /// <summary>
    /// Makes data and size durable (fdatasync). A failure is final: the pages may be gone (docs/DURABILITY.md).
    /// </summary>
    void Sync();

    /// <summary>
    /// As <see cref="Sync()"/>, for what was stored to a range through a mapping of this file: where the system can,
    /// what else is dirty in the file is not written.
    /// </summary>
    void Sync(IMapping mapping, long offset, long length) => Sync();

    /// <summary>Maps the first <paramref name="length"/> bytes; the mapping outlives the file object.</summary>
    IMapping Map(long length, MappingAccess access);
}

/// <summary>How a mapping will be used.</summary>
internal enum MappingAccess
{
    /// <summary>Read-only; the kernel may use huge pages and read ahead.</summary>
    Table,

    /// <summary>
    /// As <see cref="Table"/>, for reads that are small and far apart: what is asked for, by the file object too, is
    /// read and nothing around it.
    /// </summary>
    ProbedTable,

    /// <summary>
    /// Read and write. Prefaulted by <see cref="IMapping.Populate"/>, not by mapping: that dirties every page.
    /// </summary>
    Segment,

    /// <summary>
    /// As <see cref="Segment"/>, for small syncs: no read-ahead, 4 KiB pages, because a sync writes the whole of a page
    /// of any size.
    /// </summary>
    SyncedSegment,
}

internal static class MappingAccesses
{
    public static bool IsReadOnly(this MappingAccess access) =>
        access is MappingAccess.Table or MappingAccess.ProbedTable;
}

/// <summary>
/// A mapped range of a file. <see cref="IDisposable.Dispose"/> unmaps: only when no pin can see the range.
/// </summary>
internal unsafe interface IMapping : IDisposable
{
    byte* Address { get; }

    long Length { get; }

    /// <summary>
    /// Tells the seam that a range was stored to; a simulated disk records a page version, the real one does nothing.
    /// </summary>
    void Dirtied(long offset, long length);

    /// <summary>
    /// Makes what was stored to a range durable, without writing the file's other dirty pages. A failure is final, as
    /// that of <see cref="IStorageFile.Sync()"/>.
    /// </summary>
    void Sync(long offset, long length);

    /// <summary>Asks that a range be resident (index and filter regions at open). Advice: failure is ignored.</summary>
    void Populate(long offset, long length);

    /// <summary>
    /// Whether a range is in the page cache, so that touching it does not wait for a device. True is a guess about the
    /// next moment: the system may drop pages at any time. False where it cannot be asked. Allocates nothing.
    /// </summary>
    bool IsResident(long offset, long length);
}
