using Varve.Storage;

namespace Varve.Tests.Engine.Storage;

/// <summary>
/// Passes everything on to another storage and writes down, in order, what changes the disk: the golden files of
/// operation order are made of these lines, with paths relative to a root. It can also fail the n-th such operation,
/// before it is done.
/// </summary>
internal sealed class RecordingStorage(IStorage inner, string root) : IStorage
{
    private readonly Lock _gate = new();
    private readonly List<string> _operations = [];
    private int _failAt = -1;

    public IReadOnlyList<string> Operations
    {
        get
        {
            lock (_gate) return [.. _operations];
        }
    }

    /// <summary>Fails the operation of this number, counted from 0, once.</summary>
    public void FailAt(int number) => _failAt = number;

    public void CreateDirectory(string path)
    {
        Note("mkdir", path);
        inner.CreateDirectory(path);
    }

    public bool DirectoryExists(string path) => inner.DirectoryExists(path);

    public bool FileExists(string path) => inner.FileExists(path);

    public IReadOnlyList<string> List(string directory) => inner.List(directory);

    public IStorageFile Open(string path, FileIntent intent)
    {
        if (intent == FileIntent.CreateNew) Note("create", path);
        return new RecordingFile(inner.Open(path, intent), this);
    }

    public void SyncDirectory(string path)
    {
        Note("sync directory", path);
        inner.SyncDirectory(path);
    }

    public bool TryLink(string existingPath, string newPath)
    {
        Note("link", existingPath, newPath);
        return inner.TryLink(existingPath, newPath);
    }

    public void Rename(string from, string to)
    {
        Note("rename", from, to);
        inner.Rename(from, to);
    }

    public void Delete(string path)
    {
        if (inner.FileExists(path)) Note("delete", path);
        inner.Delete(path);
    }

    public void DeleteDirectory(string path)
    {
        Note("rmdir", path);
        inner.DeleteDirectory(path);
    }

    public IDisposable? TryLock(string path) => inner.TryLock(path);

    public IDisposable? TryLockExisting(string path) => inner.TryLockExisting(path);

    public IDisposable? TryShare(string path) => inner.TryShare(path);

    public bool IsShared(string path) => inner.IsShared(path);

    public IStorageFile? TryTakeOver(string path, string newPath)
    {
        Note("take over", path, newPath);
        return inner.TryTakeOver(path, newPath) is { } file ? new RecordingFile(file, this) : null;
    }

    private void Note(string operation, params string[] paths)
    {
        int number;
        lock (_gate)
        {
            number = _operations.Count;
            _operations.Add(
                $"{operation} {string.Join(" -> ", paths.Select(path => Path.GetRelativePath(root, path)))}");
        }

        if (number == _failAt) throw new IOException($"injected failure of operation {number}: {operation}");
    }

    private sealed class RecordingFile(IStorageFile file, RecordingStorage owner) : IStorageFile
    {
        public string Path => file.Path;

        public long Length => file.Length;

        public void Read(long offset, Span<byte> destination) => file.Read(offset, destination);

        public void Write(long offset, ReadOnlySpan<byte> source)
        {
            owner.Note("write", Path);
            file.Write(offset, source);
        }

        public void Allocate(long length)
        {
            owner.Note("allocate", Path);
            file.Allocate(length);
        }

        public void Truncate(long length)
        {
            owner.Note("truncate", Path);
            file.Truncate(length);
        }

        public void BeginSync(long offset, long length) => file.BeginSync(offset, length);

        public void BeginRead(long offset, long length) => file.BeginRead(offset, length);

        public void Sync()
        {
            owner.Note("sync", Path);
            file.Sync();
        }

        public IMapping Map(long length, MappingAccess access) => new WatchedMapping(
            file.Map(length, access),
            sync =>
            {
                owner.Note("sync", Path);
                sync();
            });

        public void Dispose() => file.Dispose();
    }
}
