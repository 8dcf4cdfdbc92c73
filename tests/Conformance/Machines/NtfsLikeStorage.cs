using Varve.Storage;

namespace Varve.Tests.Conformance.Machines;

/// <summary>
/// A file system that refuses what NTFS refuses: to delete or to replace a file that is open or mapped, to rename a
/// directory with such a file in it, to cut off a mapped file. An open file may be renamed, as files are opened with
/// delete sharing. What is refused fails with an <see cref="IOException"/> and is counted.
/// </summary>
internal sealed class NtfsLikeStorage(IStorage inner) : StorageLayer(inner)
{
    private readonly Lock _turn = new();
    private readonly List<Use> _uses = [];

    /// <summary>The refused calls, in order.</summary>
    public List<string> Refused { get; } = [];

    public override IStorageFile Open(string path, FileIntent intent)
    {
        lock (_turn) return new OpenFile(this, Inner.Open(path, intent), Begin(path, isMapping: false));
    }

    public override void Delete(string path)
    {
        lock (_turn)
        {
            Refuse(_uses.Exists(use => use.Path == path), "delete", path);
            Inner.Delete(path);
        }
    }

    public override void Rename(string from, string to)
    {
        lock (_turn)
        {
            Refuse(_uses.Exists(use => use.Path == to), "replace", to);
            Refuse(
                _uses.Exists(use => use.Path.StartsWith(from + Path.DirectorySeparatorChar, StringComparison.Ordinal)),
                "rename a directory with files in use", from);
            Inner.Rename(from, to);
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

    private sealed class OpenFile(NtfsLikeStorage storage, IStorageFile file, Use use) : FileLayer(file)
    {
        public override void Truncate(long length)
        {
            lock (storage._turn)
                storage.Refuse(
                    storage._uses.Exists(other => other.IsMapping && other.Path == use.Path), "truncate", use.Path);
            base.Truncate(length);
        }

        public override IMapping Map(long length, MappingAccess access)
        {
            lock (storage._turn)
                return new Mapping(storage, Inner.Map(length, access), storage.Begin(use.Path, isMapping: true));
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
