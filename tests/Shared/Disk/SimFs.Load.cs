namespace Varve.Tests.Shared.Disk;

// A disk that is put into the state after a power loss. Only what differs from the state before is copied, so that
// millions of states are cheap.
internal sealed partial class SimFs
{
    private int _loadedUpTo;

    /// <summary>Becomes what an image says, all of it durable. Nothing may be open. Stops the journal.</summary>
    public void Load(CrashImage image)
    {
        lock (_gate)
        {
            Journal = null;
            _locked.Clear();
            _shared.Clear();
            Faults.FailNothing();
            foreach (var made in _nodes.Keys.Where(id => id > _loadedUpTo).ToArray())
            {
                (_nodes[made] as SimFile)?.Dispose();
                _nodes.Remove(made);
            }

            Used = 0;
            foreach (var (id, (file, length)) in image.Files) Put(file, length, NodeOf(id));
            _root = DirectoryOf(SimFs.RootId);
            foreach (var id in image.Directories)
            {
                var directory = DirectoryOf(id);
                directory.Entries.Clear();
                directory.References = 1;
            }

            foreach (var id in image.Directories)
            {
                var directory = DirectoryOf(id);
                foreach (var (name, node) in image.Entries(id))
                {
                    SimNode named = image.Files.ContainsKey(node) ? NodeOf(node) : DirectoryOf(node);
                    named.References++;
                    directory.Entries[name] = named;
                }
            }

            _lastId = _loadedUpTo = Math.Max(_loadedUpTo, _nodes.Keys.Max());
        }
    }

    /// <summary>The disk as it is, all of it durable: where a fold of its journal begins.</summary>
    public UnsyncedDisk Begin()
    {
        lock (_gate)
        {
            var disk = new UnsyncedDisk();
            Begin(disk, _root);
            return disk;
        }
    }

    private static void Begin(UnsyncedDisk disk, SimDirectory directory)
    {
        foreach (var (name, node) in directory.Entries)
        {
            disk.BeginName(directory.Id, name, node.Id);
            if (node is SimDirectory below)
            {
                disk.Begin(below.Id, isDirectory: true);
                Begin(disk, below);
            }
            else if (!disk.Files.ContainsKey(node.Id))
            {
                var from = (SimFile)node;
                var file = disk.Begin(node.Id, isDirectory: false)!;
                for (var page = 0; page < from.Known.Count; page++) file.Begin(page, from.Known[page]);
                file.BeginLength(from.Length);
            }
        }
    }

    private void Put(UnsyncedFile file, long length, SimFile into)
    {
        into.References = 0;
        into.Reserve(length);
        into.Length = length;
        into.Taken = (long)SimFile.PagesOf(length) * Page.Size;
        Used += into.Taken;
        var pages = SimFile.PagesOf(length);
        for (var page = 0; page < into.Known.Count; page++)
        {
            if (page >= pages || page >= file.Durable.Count) into.Put(page, null);
            else if (!file.Pending.TryGetValue(page, out var unsynced)) into.Put(page, file.Durable[page]);
            else PutSectors(unsynced, into);
        }

        // Beyond the size nothing is left, whatever reached the disk there.
        var last = pages - 1;
        if (last < 0 || length % Page.Size == 0 || last >= into.Known.Count) return;
        var rest = into.PageBytes(last)[(int)(length % Page.Size)..];
        if (rest.IndexOfAnyExcept((byte)0) < 0) return;
        rest.Clear();
        into.Known[last] = Page.Unknown;
    }

    private static void PutSectors(UnsyncedPage page, SimFile into)
    {
        _ = page.Sectors();
        var bytes = into.PageBytes(page.Number);
        for (var sector = 0; sector < Page.Sectors; sector++)
            Page.Sector(page.Chosen[sector], sector).CopyTo(bytes.Slice(sector * Page.SectorSize, Page.SectorSize));
        into.Known[page.Number] = Page.Unknown;
    }

    private SimFile NodeOf(int id)
    {
        if (_nodes.TryGetValue(id, out var node) && node is SimFile file) return file;
        var made = new SimFile(id);
        _nodes[id] = made;
        return made;
    }

    private SimDirectory DirectoryOf(int id)
    {
        if (_nodes.TryGetValue(id, out var node) && node is SimDirectory directory) return directory;
        (node as SimFile)?.Dispose();
        var made = new SimDirectory(id);
        _nodes[id] = made;
        return made;
    }
}
