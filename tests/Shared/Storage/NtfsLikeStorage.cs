using Varve.Storage;

namespace Varve.Tests.Shared;

/// <summary>
/// A file system that behaves as NTFS does below <see cref="PortableStorage"/>. What it refuses fails with an
/// <see cref="IOException"/> and is counted.
/// <list type="bullet">
/// <item>A file that is open or mapped is neither deleted nor replaced. It may be renamed, since the engine opens its
/// files with delete sharing. A directory with such a file in it is not renamed. A mapped file is not cut off.</item>
/// <item>A locked file is open without sharing: nobody opens, deletes, renames or replaces it.</item>
/// <item>Names differ by more than case: "Current" is the file CURRENT.</item>
/// <item>There are no hard links, no directory syncs, no permissions, no shares and no recycled files: the inner
/// storage has none.</item>
/// </list>
/// </summary>
internal sealed class NtfsLikeStorage(IStorage inner) : StorageLayer(inner)
{
    private readonly Lock _turn = new();
    private readonly List<Use> _uses = [];

    /// <summary>The refused calls, in order.</summary>
    public List<string> Refused { get; } = [];

    public override void CreateDirectory(string path) => Inner.CreateDirectory(Stored(path));

    public override bool DirectoryExists(string path) => Inner.DirectoryExists(Stored(path));

    public override bool FileExists(string path) => Inner.FileExists(Stored(path));

    public override IReadOnlyList<string> List(string directory) => Inner.List(Stored(directory));

    public override void MakeReadOnly(string path)
    {
        // PortableStorage leaves permissions alone on Windows, which deletes no read-only file.
    }

    public override IStorageFile Open(string path, FileIntent intent)
    {
        path = Stored(path);
        lock (_turn)
        {
            Refuse(IsUsed(path, UseKind.Lock), "open", path);
            return new OpenFile(this, Inner.Open(path, intent), Begin(path, UseKind.File));
        }
    }

    public override bool TryLink(string existingPath, string newPath) => false;

    public override void Delete(string path)
    {
        path = Stored(path);
        lock (_turn)
        {
            Refuse(IsUsed(path), "delete", path);
            Inner.Delete(path);
        }
    }

    public override void DeleteDirectory(string path) => Inner.DeleteDirectory(Stored(path));

    public override void Rename(string from, string to)
    {
        from = Stored(from);
        var replaced = Stored(to);
        lock (_turn)
        {
            Refuse(IsUsed(from, UseKind.Lock), "rename", from);
            var isOther = !string.Equals(from, replaced, StringComparison.OrdinalIgnoreCase);
            Refuse(isOther && IsUsed(replaced), "replace", replaced);
            Refuse(
                _uses.Exists(
                    use => use.Path.StartsWith(
                        from + Path.DirectorySeparatorChar, StringComparison.OrdinalIgnoreCase)),
                "rename a directory with files in use", from);
            if (isOther && Inner.FileExists(replaced)) to = replaced;
            Inner.Rename(from, to);
            foreach (var use in _uses)
                if (IsSame(use, from)) use.Path = to;
        }
    }

    public override IDisposable? TryLock(string path)
    {
        path = Stored(path);
        lock (_turn)
        {
            if (IsUsed(path) || Inner.TryLock(path) is not { } held) return null;
            return new HeldLock(this, held, Begin(path, UseKind.Lock));
        }
    }

    public override IDisposable? TryLockExisting(string path) => FileExists(path) ? TryLock(path) : new AssumedLock();

    /// <summary>The path as the directory spells its last name; the path itself if it has no such name.</summary>
    private static string Stored(string path)
    {
        if (Path.Exists(path)) return path;
        var (directory, name) = (Path.GetDirectoryName(path), Path.GetFileName(path));
        if (directory is null || name.Length == 0) return path;
        directory = Stored(directory);
        if (!Directory.Exists(directory)) return path;
        return Directory.EnumerateFileSystemEntries(directory)
            .FirstOrDefault(
                entry => string.Equals(Path.GetFileName(entry), name, StringComparison.OrdinalIgnoreCase),
                Path.Combine(directory, name));
    }

    private static bool IsSame(Use use, string path) =>
        string.Equals(use.Path, path, StringComparison.OrdinalIgnoreCase);

    private bool IsUsed(string path, UseKind? kind = null) =>
        _uses.Exists(use => IsSame(use, path) && (kind is null || use.Kind == kind));

    private Use Begin(string path, UseKind kind)
    {
        var use = new Use { Path = path, Kind = kind };
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

    private enum UseKind
    {
        File,
        Mapping,
        Lock,
    }

    /// <summary>An open file, a mapping or a lock, under the name that its file has by now.</summary>
    private sealed class Use
    {
        public required string Path { get; set; }

        public required UseKind Kind { get; init; }
    }

    private sealed class HeldLock(NtfsLikeStorage storage, IDisposable held, Use use) : IDisposable
    {
        public void Dispose()
        {
            held.Dispose();
            storage.End(use);
        }
    }

    private sealed class OpenFile(NtfsLikeStorage storage, IStorageFile file, Use use) : FileLayer(file)
    {
        public override void Truncate(long length)
        {
            lock (storage._turn)
                storage.Refuse(storage.IsUsed(use.Path, UseKind.Mapping), "truncate", use.Path);
            base.Truncate(length);
        }

        public override IMapping Map(long length, MappingAccess access)
        {
            lock (storage._turn)
                return new Mapping(storage, Inner.Map(length, access), storage.Begin(use.Path, UseKind.Mapping));
        }

        public override void Dispose()
        {
            base.Dispose();
            storage.End(use);
        }
    }

    private sealed class Mapping(NtfsLikeStorage storage, IMapping inner, Use use) : MappingLayer(inner)
    {
        public override void Dispose()
        {
            base.Dispose();
            storage.End(use);
        }
    }
}
