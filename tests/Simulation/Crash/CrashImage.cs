using Varve.Tests.Simulation.Disk;

namespace Varve.Tests.Simulation.Crash;

/// <summary>A disk after a power loss: names, and the files that have one. Reused from one state to the next.</summary>
internal sealed class CrashImage
{
    private readonly Dictionary<int, Dictionary<string, int>> directories = [];
    private readonly Dictionary<int, (UnsyncedFile File, long Length)> files = [];
    private readonly Stack<int> toVisit = new();
    private readonly HashSet<int> visited = [];
    private IReadOnlyDictionary<int, Dictionary<string, int>> durable = null!;

    /// <summary>Stands for all that can be reached from the root.</summary>
    public ulong Hash { get; set; }

    public IReadOnlyDictionary<int, (UnsyncedFile File, long Length)> Files => files;

    /// <summary>Directories that can be reached.</summary>
    public IReadOnlyCollection<int> Directories => visited;

    public Dictionary<string, int> Entries(int directory) => directories.TryGetValue(directory, out var changed) ? changed : durable[directory];

    public bool Holds(UnsyncedFile file) => files.ContainsKey(file.Id);

    /// <summary>The node that a path names; 0: none.</summary>
    public int Find(string path)
    {
        var node = SimFs.RootId;
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
            if (!visited.Contains(node) || !Entries(node).TryGetValue(part, out node)) return 0;
        return node;
    }

    public void Begin(IReadOnlyDictionary<int, Dictionary<string, int>> names)
    {
        durable = names;
        directories.Clear();
        files.Clear();
        Hash = 0;
    }

    public void Apply(List<NameChange> changes)
    {
        foreach (var (directory, name, node) in changes)
        {
            if (!directories.TryGetValue(directory, out var entries))
                directories[directory] = entries = new Dictionary<string, int>(durable[directory], StringComparer.Ordinal);
            if (node == 0) entries.Remove(name);
            else entries[name] = node;
        }
    }

    public void Reach(IReadOnlyDictionary<int, UnsyncedFile> all)
    {
        visited.Clear();
        visited.Add(SimFs.RootId);
        toVisit.Push(SimFs.RootId);
        while (toVisit.TryPop(out var directory))
        {
            foreach (var (name, node) in Entries(directory))
            {
                Hash += CrashPoint.Mix(CrashPoint.Mix(((ulong)directory << 32) + (ulong)node) ^ (ulong)string.GetHashCode(name, StringComparison.Ordinal));
                if (all.TryGetValue(node, out var file))
                {
                    if (files.TryAdd(node, (file, file.Length))) Hash += file.Hash;
                }
                else if (visited.Add(node))
                {
                    toVisit.Push(node);
                }
            }
        }
    }

    public void SetLength(UnsyncedFile file, long length)
    {
        if (files.ContainsKey(file.Id)) files[file.Id] = (file, length);
    }

    public void End()
    {
        foreach (var (id, (_, length)) in files) Hash += CrashPoint.Mix(((ulong)id << 40) ^ (ulong)length ^ 0x5151);
    }
}
