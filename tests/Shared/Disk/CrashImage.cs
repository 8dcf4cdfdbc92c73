namespace Varve.Tests.Shared.Disk;

/// <summary>A disk after a power loss: names, and the files that have one. Reused from one state to the next.</summary>
internal sealed class CrashImage
{
    private readonly Dictionary<int, Dictionary<string, int>> _directories = [];
    private readonly Dictionary<int, (UnsyncedFile File, long Length)> _files = [];
    private readonly Stack<int> _toVisit = new();
    private readonly HashSet<int> _visited = [];
    private IReadOnlyDictionary<int, Dictionary<string, int>> _durable = null!;

    /// <summary>Stands for all that can be reached from the root.</summary>
    public ulong Hash { get; set; }

    public IReadOnlyDictionary<int, (UnsyncedFile File, long Length)> Files => _files;

    /// <summary>Directories that can be reached.</summary>
    public IReadOnlyCollection<int> Directories => _visited;

    public Dictionary<string, int> Entries(int directory) =>
        _directories.TryGetValue(directory, out var changed) ? changed : _durable[directory];

    public bool Holds(UnsyncedFile file) => _files.ContainsKey(file.Id);

    /// <summary>The node that a path names; 0: none.</summary>
    public int Find(string path)
    {
        var node = SimFs.RootId;
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
            if (!_visited.Contains(node) || !Entries(node).TryGetValue(part, out node)) return 0;
        return node;
    }

    public void Begin(IReadOnlyDictionary<int, Dictionary<string, int>> names)
    {
        _durable = names;
        _directories.Clear();
        _files.Clear();
        Hash = 0;
    }

    public void Apply(List<NameChange> changes)
    {
        foreach (var (directory, name, node) in changes)
        {
            if (!_directories.TryGetValue(directory, out var entries))
                _directories[directory] =
                    entries = new Dictionary<string, int>(_durable[directory], StringComparer.Ordinal);
            if (node == 0) entries.Remove(name);
            else entries[name] = node;
        }
    }

    public void Reach(IReadOnlyDictionary<int, UnsyncedFile> all)
    {
        _visited.Clear();
        _visited.Add(SimFs.RootId);
        _toVisit.Push(SimFs.RootId);
        while (_toVisit.TryPop(out var directory))
        {
            foreach (var (name, node) in Entries(directory))
            {
                Hash += CrashPoint.Mix(CrashPoint.Mix(((ulong)directory << 32) + (ulong)node)
                    ^ (ulong)string.GetHashCode(name, StringComparison.Ordinal));
                if (all.TryGetValue(node, out var file))
                {
                    if (_files.TryAdd(node, (file, file.Length))) Hash += file.Hash;
                }
                else if (_visited.Add(node))
                {
                    _toVisit.Push(node);
                }
            }
        }
    }

    public void SetLength(UnsyncedFile file, long length)
    {
        if (_files.ContainsKey(file.Id)) _files[file.Id] = (file, length);
    }

    public void End()
    {
        foreach (var (id, (_, length)) in _files) Hash += CrashPoint.Mix(((ulong)id << 40) ^ (ulong)length ^ 0x5151);
    }
}
