namespace Varve.Tests.Shared.Disk;

/// <summary>
/// A disk at one place of a journal: what of it is durable, and what is not. Steps forward only.
/// <para>
/// Names are held to the strictest reading of POSIX: of the changes to a directory since its last sync a power loss may
/// take any and leave any other, in whatever order they were made; a rename is taken or left as a whole.
/// </para>
/// </summary>
internal sealed class UnsyncedDisk
{
    private readonly Dictionary<int, Dictionary<string, int>> _directories = [];
    private readonly Dictionary<int, UnsyncedFile> _files = [];

    public UnsyncedDisk() => _directories[SimFs.RootId] = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<int, Dictionary<string, int>> Directories => _directories;

    public IReadOnlyDictionary<int, UnsyncedFile> Files => _files;

    /// <summary>Changes of names that are not durable, oldest first.</summary>
    public List<UnsyncedNames> Names { get; } = [];

    public void Apply(in SimEvent happened)
    {
        switch (happened.Kind)
        {
            case SimEventKind.Made:
                Begin(happened.Node, happened.IsDirectory);
                break;
            case SimEventKind.Stored:
                _files[happened.Node].Stored(happened.Page, happened.Content, happened.OnTheWay);
                break;
            case SimEventKind.Resized:
                _files[happened.Node].Resized(happened.Size);
                break;
            case SimEventKind.Synced:
            case SimEventKind.SyncFailed:
                _files[happened.Node].Synced(
                    happened.Page, happened.PageEnd, happened.WithSize, happened.Kind == SimEventKind.SyncFailed);
                break;
            case SimEventKind.Named:
                Names.Add(new UnsyncedNames([.. happened.Names!]));
                break;
            case SimEventKind.DirectorySynced:
                Sync(happened.Node);
                break;
        }
    }

    public UnsyncedFile? Begin(int node, bool isDirectory)
    {
        if (!isDirectory) return _files[node] = new UnsyncedFile(node);
        _directories[node] = new(StringComparer.Ordinal);
        return null;
    }

    public void BeginName(int directory, string name, int node) => _directories[directory][name] = node;

    /// <summary>The same disk, to be stepped forward apart. Only of one that nothing was applied to yet.</summary>
    public UnsyncedDisk Copy()
    {
        if (Names.Count > 0) throw new InvalidOperationException("Only the beginning is copied.");
        var copy = new UnsyncedDisk();
        foreach (var (id, entries) in _directories) copy._directories[id] = new(entries, StringComparer.Ordinal);
        foreach (var (id, file) in _files) copy._files[id] = file.Copy();
        return copy;
    }

    private void Sync(int directory)
    {
        for (var i = 0; i < Names.Count; i++)
        {
            if (!Names[i].Changes.Exists(change => change.Directory == directory)) continue;
            var settled = Names[i].Changes;
            Names.RemoveAt(i);
            foreach (var (at, name, node) in settled)
            {
                if (node == 0) _directories[at].Remove(name);
                else _directories[at][name] = node;
                // Earlier changes of the name no longer count, even if it stands in a directory other than the synced
                // one.
                for (var j = i - 1; j >= 0; j--)
                {
                    Names[j].Changes.RemoveAll(change => change.Directory == at && change.Name == name);
                    if (Names[j].Changes.Count > 0) continue;
                    Names.RemoveAt(j);
                    i--;
                }
            }

            i--;
        }
    }
}

/// <summary>Changes of names that are made durable together or not at all.</summary>
internal sealed record UnsyncedNames(List<NameChange> Changes);
