using Varve.Storage;

namespace Varve.Tests.Engine.Recovery;

/// <summary>Calls a hook before everything that it passes on to another storage; the hook may throw instead, or hold the caller.</summary>
internal sealed class HookedStorage(IStorage inner) : IStorage
{
    private volatile Action<string, string>? before;

    /// <summary>Gets the operation (one word) and the path; null: nothing happens.</summary>
    public Action<string, string>? Before
    {
        get => before;
        set => before = value;
    }

    public void CreateDirectory(string path)
    {
        Call("mkdir", path);
        inner.CreateDirectory(path);
    }

    public bool DirectoryExists(string path) => inner.DirectoryExists(path);

    public bool FileExists(string path) => inner.FileExists(path);

    public IReadOnlyList<string> List(string directory)
    {
        Call("list", directory);
        return inner.List(directory);
    }

    public IStorageFile Open(string path, FileIntent intent)
    {
        Call(intent == FileIntent.CreateNew ? "create" : "open", path);
        return new HookedFile(inner.Open(path, intent), this);
    }

    public void SyncDirectory(string path)
    {
        Call("syncdir", path);
        inner.SyncDirectory(path);
    }

    public bool TryLink(string existingPath, string newPath)
    {
        Call("link", newPath);
        return inner.TryLink(existingPath, newPath);
    }

    public void Rename(string from, string to)
    {
        Call("rename", to);
        inner.Rename(from, to);
    }

    public void Delete(string path)
    {
        Call("delete", path);
        inner.Delete(path);
    }

    public void DeleteDirectory(string path)
    {
        Call("rmdir", path);
        inner.DeleteDirectory(path);
    }

    public IDisposable? TryLock(string path)
    {
        Call("lock", path);
        return inner.TryLock(path);
    }

    private void Call(string operation, string path) => before?.Invoke(operation, path);

    private sealed class HookedFile(IStorageFile file, HookedStorage owner) : IStorageFile
    {
        public string Path => file.Path;

        public long Length => file.Length;

        public void Read(long offset, Span<byte> destination)
        {
            owner.Call("read", Path);
            file.Read(offset, destination);
        }

        public void Write(long offset, ReadOnlySpan<byte> source)
        {
            owner.Call("write", Path);
            file.Write(offset, source);
        }

        public void Allocate(long length)
        {
            owner.Call("allocate", Path);
            file.Allocate(length);
        }

        public void Sync()
        {
            owner.Call("sync", Path);
            file.Sync();
        }

        public IMapping Map(long length, MappingAccess access)
        {
            owner.Call("map", Path);
            return file.Map(length, access);
        }

        public void Dispose() => file.Dispose();
    }
}
