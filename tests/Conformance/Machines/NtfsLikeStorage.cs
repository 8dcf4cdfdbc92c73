using Varve.Storage;

namespace Varve.Tests.Conformance.Machines;

/// <summary>
/// A file system that refuses what NTFS refuses: to delete or to replace a file that is open or mapped, to rename a
/// directory with such a file in it, to cut off a mapped file. An open file may be renamed, as files are opened with
/// delete sharing. What is refused fails with an <see cref="IOException"/> and is counted.
/// </summary>
internal sealed class NtfsLikeStorage(IStorage inner) : IStorage
{
    private readonly Lock _turn = new();
    private readonly List<Use> _uses = [];

    /// <summary>The refused calls, in order.</summary>
    public List<string> Refused { get; } = [];

    public void CreateDirectory(string path) => inner.CreateDirectory(path);

    public bool DirectoryExists(string path) => inner.DirectoryExists(path);

    public bool FileExists(string path) => inner.FileExists(path);

    public IReadOnlyList<string> List(string directory) => inner.List(directory);

    public void SyncDirectory(string path) => inner.SyncDirectory(path);

    public bool TryLink(string existingPath, string newPath) => inner.TryLink(existingPath, newPath);

    public void DeleteDirectory(string path) => inner.DeleteDirectory(path);

    public IDisposable? TryLock(string path) => inner.TryLock(path);

    public IDisposable? TryLockExisting(string path) => inner.TryLockExisting(path);

    public IStorageFile Open(string path, FileIntent intent)
    {
        lock (_turn) return new OpenFile(this, inner.Open(path, intent), Begin(path, isMapping: false));
    }

    public void Delete(string path)
    {
        lock (_turn)
        {
            Refuse(_uses.Exists(use => use.Path == path), "delete", path);
            inner.Delete(path);
        }
    }

    public void Rename(string from, string to)
    {
        lock (_turn)
        {
            Refuse(_uses.Exists(use => use.Path == to), "replace", to);
            Refuse(
                _uses.Exists(use => use.Path.StartsWith(from + Path.DirectorySeparatorChar, StringComparison.Ordinal)),
                "rename a directory with files in use", from);
            inner.Rename(from, to);
            foreach (var use in _uses)
                if (use.Path == from) use.Path = to;
        }
    }

    private Use Begin(string path, bool isMapping)
    {
        var use = new Use { Path = path, IsMapping = isMapping };
        _uses.Add(use);
        return use;
    }

    private void End(Use use)
    {
        lock (_turn) _uses.Remove(use);
    }

    private void Refuse(bool isInUse, string operation, string path)
    {
        if (!isInUse) return;
        Refused.Add($"{operation} {path}");
        throw new IOException($"{path}: {operation} refused: in use");
    }

    /// <summary>An open file or a mapping, under the name that it has by now.</summary>
    private sealed class Use
    {
        public required string Path { get; set; }

        public required bool IsMapping { get; init; }
    }

    private sealed class OpenFile(NtfsLikeStorage storage, IStorageFile file, Use use) : IStorageFile
    {
        public string Path => file.Path;

        public long Length => file.Length;

        public void Read(long offset, Span<byte> destination) => file.Read(offset, destination);

        public void Write(long offset, ReadOnlySpan<byte> source) => file.Write(offset, source);

        public void Allocate(long length) => file.Allocate(length);

        public void Truncate(long length)
        {
            lock (storage._turn)
                storage.Refuse(
                    storage._uses.Exists(other => other.IsMapping && other.Path == use.Path), "truncate", use.Path);
            file.Truncate(length);
        }

        public void Sync() => file.Sync();

        public void Sync(IMapping mapping, long offset, long length) =>
            file.Sync(((Mapping)mapping).Inner, offset, length);

        public IMapping Map(long length, MappingAccess access)
        {
            lock (storage._turn)
                return new Mapping(storage, file.Map(length, access), storage.Begin(use.Path, isMapping: true));
        }

        public void Dispose()
        {
            file.Dispose();
            storage.End(use);
        }
    }

    private sealed unsafe class Mapping(NtfsLikeStorage storage, IMapping inner, Use use) : IMapping
    {
        public IMapping Inner { get; } = inner;

        public byte* Address => Inner.Address;

        public long Length => Inner.Length;

        public void Dirtied(long offset, long length) => Inner.Dirtied(offset, length);

        public void Sync(long offset, long length) => Inner.Sync(offset, length);

        public void Populate(long offset, long length) => Inner.Populate(offset, length);

        public bool IsResident(long offset, long length) => Inner.IsResident(offset, length);

        public void Dispose()
        {
            Inner.Dispose();
            storage.End(use);
        }
    }
}
