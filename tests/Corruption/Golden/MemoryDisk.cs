using Varve.Storage;

namespace Varve.Tests.Corruption.Golden;

/// <summary>
/// A file system in memory, with copies. Any thread; a directory's listing and every name change are under one lock.
/// </summary>
internal sealed class MemoryDisk : IStorage, IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SortedDictionary<string, MemoryNode?>> _directories = [];
    private readonly HashSet<string> _locks = [];

    /// <summary>Says which files cannot be made, for want of space.</summary>
    public Func<string, bool> IsFullFor { get; set; } = _ => false;

    public IReadOnlyList<string> Files(string directory)
    {
        lock (_gate)
            return [.. _directories[directory].Where(entry => entry.Value is not null)
                .Select(entry => Path.Combine(directory, entry.Key))];
    }

    /// <summary>The bytes of a file, where the engine sees them.</summary>
    public MemoryNode Node(string path)
    {
        lock (_gate) return Find(path) ?? throw new FileNotFoundException(path);
    }

    public byte[] Bytes(string path) => Node(path).Span.ToArray();

    public void Put(string path, ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            var entries = Entries(path);
            if (entries.TryGetValue(Path.GetFileName(path), out var old)) old!.Leave();
            entries[Path.GetFileName(path)] = new MemoryNode(bytes);
        }
    }

    /// <summary>The disk as a machine that stops now leaves it.</summary>
    public MemoryDisk Copy()
    {
        var copy = new MemoryDisk();
        lock (_gate)
        {
            foreach (var (path, entries) in _directories)
            {
                var copied = new SortedDictionary<string, MemoryNode?>(StringComparer.Ordinal);
                foreach (var (name, node) in entries) copied.Add(name, node is null ? null : new MemoryNode(node.Span));
                copy._directories.Add(path, copied);
            }
        }

        return copy;
    }

    public void CreateDirectory(string path)
    {
        lock (_gate)
        {
            if (!_directories.TryAdd(path, new SortedDictionary<string, MemoryNode?>(StringComparer.Ordinal))) return;
            if (Path.GetDirectoryName(path) is not { } parent) return;
            CreateDirectory(parent);
            _directories[parent].Add(Path.GetFileName(path), null);
        }
    }

    public bool DirectoryExists(string path)
    {
        lock (_gate) return _directories.ContainsKey(path);
    }

    public bool FileExists(string path)
    {
        lock (_gate) return Find(path) is not null;
    }

    public IReadOnlyList<string> List(string directory)
    {
        lock (_gate)
        {
            if (!_directories.TryGetValue(directory, out var entries)) throw new DirectoryNotFoundException(directory);
            var names = new List<string>(entries.Count);
            foreach (var (name, node) in entries) names.Add(node is null ? name + '/' : name);
            return names;
        }
    }

    public IStorageFile Open(string path, FileIntent intent)
    {
        lock (_gate)
        {
            if (intent == FileIntent.CreateNew)
            {
                if (IsFullFor(path)) throw new StorageFullException(path);
                if (!Entries(path).TryAdd(Path.GetFileName(path), new MemoryNode()))
                    throw new IOException($"{path}: exists");
            }

            return new MemoryFile(path, Find(path) ?? throw new FileNotFoundException($"{path}: no such file", path));
        }
    }

    public void SyncDirectory(string path) { }

    public bool TryLink(string existingPath, string newPath)
    {
        lock (_gate)
        {
            var node = Find(existingPath) ?? throw new FileNotFoundException(existingPath);
            node.Use();
            Entries(newPath).Add(Path.GetFileName(newPath), node);
            return true;
        }
    }

    public void Rename(string from, string to)
    {
        lock (_gate)
        {
            var (source, target) = (Entries(from), Entries(to));
            if (!source.Remove(Path.GetFileName(from), out var node)) throw new FileNotFoundException(from);
            if (target.TryGetValue(Path.GetFileName(to), out var old)) old?.Leave();
            target[Path.GetFileName(to)] = node;
            if (node is null && _directories.Remove(from, out var entries)) _directories[to] = entries;
        }
    }

    public void Delete(string path)
    {
        lock (_gate)
            if (Entries(path).Remove(Path.GetFileName(path), out var node)) node!.Leave();
    }

    public void DeleteDirectory(string path)
    {
        lock (_gate)
        {
            if (!_directories.TryGetValue(path, out var entries)) return;
            if (entries.Count > 0) throw new IOException($"{path}: not empty");
            _directories.Remove(path);
            Entries(path).Remove(Path.GetFileName(path));
        }
    }

    public IDisposable? TryLock(string path)
    {
        lock (_gate)
        {
            if (Find(path) is null) Entries(path).Add(Path.GetFileName(path), new MemoryNode());
            return _locks.Add(path) ? new Held(this, path) : null;
        }
    }

    public bool IsShared(string path) => false;

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var node in _directories.Values.SelectMany(entries => entries.Values)) node?.Leave();
            _directories.Clear();
        }
    }

    private SortedDictionary<string, MemoryNode?> Entries(string path) =>
        _directories.TryGetValue(Path.GetDirectoryName(path)!, out var entries)
            ? entries
            : throw new DirectoryNotFoundException(path);

    private MemoryNode? Find(string path) =>
        _directories.TryGetValue(Path.GetDirectoryName(path)!, out var entries)
            ? entries.GetValueOrDefault(Path.GetFileName(path))
            : null;

    private sealed class Held(MemoryDisk disk, string path) : IDisposable
    {
        public void Dispose()
        {
            lock (disk._gate) disk._locks.Remove(path);
        }
    }
}
