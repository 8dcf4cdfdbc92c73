using Varve.Storage;
using Varve.Tests.Engine.Storage;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// Calls a hook before everything that it passes on to another storage; the hook may throw instead, or hold the caller.
/// What is passed on is passed on one at a time, so that a test can look at a disk that holds still.
/// </summary>
internal sealed class HookedStorage(IStorage inner) : IStorage
{
    private readonly Lock _turn = new();
    private volatile Action<string, string>? _before;

    /// <summary>Gets the operation (one word) and the path; null: nothing happens.</summary>
    public Action<string, string>? Before
    {
        get => _before;
        set => _before = value;
    }

    /// <summary>False: as on a file system without links.</summary>
    public bool CanLink { get; set; } = true;

    /// <summary>Runs something while no operation is under way.</summary>
    public T WhileStill<T>(Func<T> action)
    {
        lock (_turn) return action();
    }

    public void CreateDirectory(string path) => Do("mkdir", path, () => inner.CreateDirectory(path));

    public bool DirectoryExists(string path) => inner.DirectoryExists(path);

    public bool FileExists(string path) => inner.FileExists(path);

    public IReadOnlyList<string> List(string directory) => Do("list", directory, () => inner.List(directory));

    public string ResolveLink(string path) => inner.ResolveLink(path);

    public void MakeReadOnly(string path) => Do("chmod", path, () => inner.MakeReadOnly(path));

    public IStorageFile Open(string path, FileIntent intent) =>
        new HookedFile(
            Do(intent == FileIntent.CreateNew ? "create" : "open", path, () => inner.Open(path, intent)), this);

    public void SyncDirectory(string path) => Do("syncdir", path, () => inner.SyncDirectory(path));

    public bool TryLink(string existingPath, string newPath) =>
        Do("link", newPath, () => CanLink && inner.TryLink(existingPath, newPath));

    public void Rename(string from, string to) => Do("rename", to, () => inner.Rename(from, to));

    public void Delete(string path) => Do("delete", path, () => inner.Delete(path));

    public void DeleteDirectory(string path) => Do("rmdir", path, () => inner.DeleteDirectory(path));

    public IDisposable? TryLock(string path) => Do("lock", path, () => inner.TryLock(path));

    public IDisposable? TryLockExisting(string path) => Do("lock", path, () => inner.TryLockExisting(path));

    public IDisposable? TryShare(string path) => Do("share", path, () => inner.TryShare(path));

    public bool IsShared(string path) => Do("isshared", path, () => inner.IsShared(path));

    public IStorageFile? TryTakeOver(string path, string newPath) =>
        Do("takeover", newPath, () => inner.TryTakeOver(path, newPath)) is { } file ? new HookedFile(file, this) : null;

    private T Do<T>(string operation, string path, Func<T> action)
    {
        _before?.Invoke(operation, path);
        lock (_turn) return action();
    }

    private void Do(string operation, string path, Action action)
    {
        _before?.Invoke(operation, path);
        lock (_turn) action();
    }

    private sealed class HookedFile(IStorageFile file, HookedStorage owner) : IStorageFile
    {
        public string Path => file.Path;

        public long Length => file.Length;

        public void Read(long offset, Span<byte> destination)
        {
            owner._before?.Invoke("read", Path);
            file.Read(offset, destination);
        }

        public void Write(long offset, ReadOnlySpan<byte> source)
        {
            owner._before?.Invoke("write", Path);
            lock (owner._turn) file.Write(offset, source);
        }

        public void Allocate(long length) => owner.Do("allocate", Path, () => file.Allocate(length));

        public void Truncate(long length) => owner.Do("truncate", Path, () => file.Truncate(length));

        public void BeginSync(long offset, long length) => file.BeginSync(offset, length);

        public void BeginRead(long offset, long length) => file.BeginRead(offset, length);

        public void Sync() => owner.Do("sync", Path, file.Sync);

        public IMapping Map(long length, MappingAccess access) =>
            new WatchedMapping(
                owner.Do("map", Path, () => file.Map(length, access)), sync => owner.Do("sync", Path, sync));

        public void Dispose() => file.Dispose();
    }
}
