namespace Varve.Tests.Shared.Disk;

// What a test does with the disk itself. These are no calls of the engine: neither counted nor refused.
internal sealed unsafe partial class SimFs
{
    /// <summary>What mappings show. A journal tells stores through shared ones apart, and no others.</summary>
    public SimMappings Mappings { get; init; }

    /// <summary>True: a mapped page never waits for the device. False: everything is read that may be read.</summary>
    public bool IsCached { get; init; } = true;

    /// <summary>Mappings that are still open.</summary>
    public int LiveMappings { get; internal set; }

    /// <summary>Locks and shares that are held.</summary>
    public int LiveClaims
    {
        get
        {
            lock (_gate) return _locked.Count + _shared.Values.Sum();
        }
    }

    /// <summary>The bytes of a file. Setting them makes another file of this name, and its directories.</summary>
    public byte[] this[string path]
    {
        get
        {
            lock (_gate) return Span(path).ToArray();
        }

        set => Put(path, value);
    }

    /// <summary>The bytes of a file where shared mappings show them, until it is written to or deleted.</summary>
    public Span<byte> Span(string path)
    {
        lock (_gate)
            return Find(path) is SimFile file
                ? new Span<byte>(file.Memory, checked((int)file.Length))
                : throw new FileNotFoundException($"{path}: no such file", path);
    }

    /// <summary>Makes a file of given bytes, and its directories; one of this name loses it.</summary>
    public void Put(string path, ReadOnlySpan<byte> bytes)
    {
        lock (_gate) Put(MakeDirectory(Path.GetDirectoryName(path)!), path, bytes);
    }

    /// <summary>The paths of the files in a directory.</summary>
    public IReadOnlyList<string> Files(string directory)
    {
        lock (_gate)
            return [.. DirectoryAt(directory).Entries.Where(entry => entry.Value is SimFile)
                .Select(entry => Path.Combine(directory, entry.Key)).Order(StringComparer.Ordinal)];
    }

    /// <summary>The disk as a process that stops now leaves it: what is in the page cache, and no locks.</summary>
    public SimFs Copy(SimMappings mappings = SimMappings.Shared)
    {
        var copy = new SimFs { Mappings = mappings, IsCached = IsCached, Capacity = Capacity };
        lock (_gate) Copy(_root, "/", copy, []);
        return copy;
    }

    private static void Copy(SimDirectory from, string path, SimFs copy, Dictionary<int, SimFile> copied)
    {
        var directory = copy.MakeDirectory(path);
        foreach (var (name, node) in from.Entries)
        {
            var named = Path.Combine(path, name);
            if (node is not SimFile file)
                Copy((SimDirectory)node, named, copy, copied);
            else if (copied.TryGetValue(file.Id, out var known))
                copy.Change((directory, name, known));
            else
                copied[file.Id] =
                    copy.Put(directory, named, new ReadOnlySpan<byte>(file.Memory, checked((int)file.Length)));
        }
    }

    private SimFile Put(SimDirectory directory, string path, ReadOnlySpan<byte> bytes)
    {
        var file = MakeFile(directory, Path.GetFileName(path));
        Take(file, bytes.Length, path);
        file.Reserve(bytes.Length);
        bytes.CopyTo(new Span<byte>(file.Memory, bytes.Length));
        for (var page = 0; page < SimFile.PagesOf(bytes.Length); page++) Stored(file, page, throughMapping: false);
        Grow(file, bytes.Length);
        return file;
    }
}
