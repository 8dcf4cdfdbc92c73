using Varve.Storage;

namespace Varve.Tests.Shared.Disk;

// Names: directories, links, renames, locks.
internal sealed partial class SimFs
{
    public void CreateDirectory(string path) =>
        Call(SimCall.CreateDirectory, path, () => MakeDirectory(Path.TrimEndingDirectorySeparator(path)));

    public bool DirectoryExists(string path)
    {
        lock (_gate) return Find(path) is SimDirectory;
    }

    public bool FileExists(string path)
    {
        lock (_gate) return Find(path) is SimFile;
    }

    public IReadOnlyList<string> List(string directory) => Call<IReadOnlyList<string>>(SimCall.List, directory, () =>
    {
        var entries = DirectoryAt(directory).Entries;
        var names = new List<string>(entries.Count);
        foreach (var (name, node) in entries) names.Add(node is SimDirectory ? name + "/" : name);
        names.Sort(StringComparer.Ordinal);
        return names;
    });

    public IStorageFile Open(string path, FileIntent intent) => Call<IStorageFile>(
        intent == FileIntent.CreateNew ? SimCall.CreateFile : SimCall.OpenFile, path, () =>
        {
            var (directory, name) = Parent(path);
            directory.Entries.TryGetValue(name, out var node);
            if (node is SimDirectory) throw new IOException($"{path}: open failed: is a directory");
            if (intent == FileIntent.CreateNew)
            {
                if (node is not null) throw new IOException($"{path}: open failed: file exists");
                node = MakeFile(directory, name);
            }

            return new SimHandle(
                this, (SimFile)(node ?? throw new FileNotFoundException($"{path}: open failed: no such file", path)),
                path, intent != FileIntent.Read);
        });

    public void SyncDirectory(string path) => Call(SimCall.SyncDirectory, path, () =>
        Journal?.Add(new SimEvent(SimEventKind.DirectorySynced) { Node = DirectoryAt(path).Id }));

    public bool TryLink(string existingPath, string newPath) => Call(SimCall.Link, newPath, () =>
    {
        if (Find(existingPath) is not SimFile file)
            throw new FileNotFoundException($"{existingPath}: link failed: no such file", existingPath);
        var (directory, name) = Parent(newPath);
        if (directory.Entries.ContainsKey(name)) throw new IOException($"{newPath}: link failed: file exists");
        Change((directory, name, file));
        return true;
    });

    public void Rename(string from, string to) => Call(SimCall.Rename, from, () =>
    {
        var (source, sourceName) = Parent(from);
        if (!source.Entries.TryGetValue(sourceName, out var node))
            throw new FileNotFoundException($"{from}: rename failed: no such file", from);
        var (target, targetName) = Parent(to);
        if (target.Entries.TryGetValue(targetName, out var replaced))
        {
            if (ReferenceEquals(replaced, node)) return;
            if (replaced is SimDirectory { Entries.Count: > 0 })
                throw new IOException($"{to}: rename failed: directory not empty");
            if (replaced is SimDirectory != node is SimDirectory)
                throw new IOException($"{to}: rename failed: a file and a directory");
        }

        Change((target, targetName, node), (source, sourceName, null));
    });

    public IStorageFile? TryTakeOver(string path, string newPath) => Call<IStorageFile?>(SimCall.TakeOver, path, () =>
    {
        var (source, sourceName) = Parent(path);
        if (!source.Entries.TryGetValue(sourceName, out var node))
            throw new FileNotFoundException($"{path}: open failed: no such file", path);
        if (node is not SimFile { References: 1 } file) return null;
        var (target, targetName) = Parent(newPath);
        Change((target, targetName, file), (source, sourceName, null));
        return new SimHandle(this, file, newPath, canWrite: true);
    });

    public void Delete(string path) => Call(SimCall.Delete, path, () =>
    {
        if (Find(path) is not { } node) return;
        if (node is SimDirectory) throw new IOException($"{path}: unlink failed: is a directory");
        var (directory, name) = Parent(path);
        Change((directory, name, null));
    });

    public void DeleteDirectory(string path) => Call(SimCall.DeleteDirectory, path, () =>
    {
        if (Find(path) is not { } node) return;
        if (node is not SimDirectory found)
            throw new DirectoryNotFoundException($"{path}: rmdir failed: not a directory");
        if (found.Entries.Count > 0) throw new IOException($"{path}: rmdir failed: directory not empty");
        var (directory, name) = Parent(path);
        Change((directory, name, null));
    });

    public IDisposable? TryLock(string path) => Call<IDisposable?>(SimCall.Lock, path, () =>
    {
        var (directory, name) = Parent(path);
        if (!directory.Entries.TryGetValue(name, out var node)) node = MakeFile(directory, name);
        if (node is not SimFile) throw new IOException($"{path}: open failed: is a directory");
        return LockDirectory(directory);
    });

    public IDisposable? TryLockExisting(string path) =>
        Call<IDisposable?>(SimCall.Lock, path, () => LockDirectory(Parent(path).Directory));

    /// <summary>The lock belongs to the directory, not to the file.</summary>
    private Held? LockDirectory(SimDirectory directory) =>
        _locked.Add(directory.Id) ? new Held(() => _locked.Remove(directory.Id), _gate) : null;

    public IDisposable? TryShare(string path) => Call<IDisposable?>(SimCall.Lock, path, () =>
    {
        if (Find(path) is not SimFile file) throw new FileNotFoundException($"{path}: open failed: no such file", path);
        _shared[file.Id] = _shared.GetValueOrDefault(file.Id) + 1;
        return new Held(() => _shared[file.Id] = _shared.GetValueOrDefault(file.Id) - 1, _gate);
    });

    public bool IsShared(string path) => Call(SimCall.Lock, path, () =>
        _shared.GetValueOrDefault((Find(path) as SimFile
            ?? throw new FileNotFoundException($"{path}: open failed: no such file", path)).Id) > 0);

    private SimFile MakeFile(SimDirectory directory, string name)
    {
        var file = new SimFile(++_lastId);
        _nodes[file.Id] = file;
        Journal?.Add(new SimEvent(SimEventKind.Made) { Node = file.Id });
        Change((directory, name, file));
        return file;
    }

    private SimDirectory MakeDirectory(string path)
    {
        if (Find(path) is { } found)
            return found as SimDirectory ?? throw new IOException($"{path}: mkdir failed: file exists");
        var parent = Path.GetDirectoryName(path) is { Length: > 0 } above ? MakeDirectory(above) : _root;
        var made = new SimDirectory(++_lastId);
        _nodes[made.Id] = made;
        Journal?.Add(new SimEvent(SimEventKind.Made) { Node = made.Id, IsDirectory = true });
        Change((parent, Path.GetFileName(path), made));
        return made;
    }

    /// <summary>Changes names in one step; the last one named is released last.</summary>
    private void Change(params ReadOnlySpan<(SimDirectory Directory, string Name, SimNode? Node)> changes)
    {
        var names = new NameChange[changes.Length];
        for (var i = 0; i < changes.Length; i++)
        {
            var (directory, name, node) = changes[i];
            names[i] = new NameChange(directory.Id, name, node?.Id ?? 0);
            if (node is not null) node.References++;
            directory.Entries.Remove(name, out var replaced);
            if (node is not null) directory.Entries[name] = node;
            if (replaced is not null) Release(replaced);
        }

        Journal?.Add(new SimEvent(SimEventKind.Named) { Names = names });
    }

    private SimDirectory DirectoryAt(string path) =>
        Find(path) as SimDirectory ?? throw new DirectoryNotFoundException($"{path}: no such directory");

    private (SimDirectory Directory, string Name) Parent(string path)
    {
        var cut = path.LastIndexOf('/');
        return Find(path.AsSpan(0, cut)) is SimDirectory directory
            ? (directory, path[(cut + 1)..])
            : throw new FileNotFoundException($"{path}: no such file or directory", path);
    }

    private SimNode? Find(ReadOnlySpan<char> path)
    {
        SimNode node = _root;
        foreach (var part in path.Split('/'))
        {
            var name = path[part];
            if (name.IsEmpty) continue;
            if (node is not SimDirectory directory
                || !directory.Entries.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var next))
                return null;
            node = next;
        }

        return node;
    }

    private sealed class Held(Action release, object gate) : IDisposable
    {
        private bool _disposed;

        public void Dispose()
        {
            lock (gate)
            {
                if (!_disposed) release();
                _disposed = true;
            }
        }
    }
}
