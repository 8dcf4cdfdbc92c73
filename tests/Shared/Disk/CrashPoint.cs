namespace Varve.Tests.Shared.Disk;

/// <summary>A choice that a power loss decides, and the number of its options.</summary>
internal readonly record struct CrashChoice(
    SectorChoice? Sector, UnsyncedFile? Length, UnsyncedNames? Names, int Options, int Newest)
{
    /// <summary>Options without half-stored mixes.</summary>
    public int Whole => Sector?.Whole ?? Options;
}

/// <summary>
/// A moment at which power may be lost, as a list of choices. A crash state is one option of each; option 0 is always
/// the durable one.
/// </summary>
internal sealed class CrashPoint
{
    private readonly UnsyncedDisk _disk;
    private readonly List<CrashChoice> _doubts = [];
    private readonly int _firstLength;
    private readonly int _firstName;

    public CrashPoint(UnsyncedDisk disk)
    {
        _disk = disk;
        var reachable = Reachable();
        foreach (var file in disk.Files.Values)
        {
            if (!reachable.Contains(file.Id)) continue;
            foreach (var page in file.Pending.Values)
                foreach (var sector in page.Sectors())
                    _doubts.Add(new CrashChoice(sector, null, null, sector.Options.Length, sector.Newest));
        }

        _firstLength = _doubts.Count;
        foreach (var file in disk.Files.Values)
            if (file.Lengths.Count > 0 && reachable.Contains(file.Id))
                _doubts.Add(new CrashChoice(null, file, null, file.Lengths.Count + 1, file.Lengths.Count));
        _firstName = _doubts.Count;
        foreach (var names in disk.Names) _doubts.Add(new CrashChoice(null, null, names, 2, 1));
    }

    public IReadOnlyList<CrashChoice> Doubts => _doubts;

    /// <summary>
    /// The number of choices about sectors, which come first; those about sizes come next, and names last.
    /// </summary>
    public int Sectors => _firstLength;

    public int FirstName => _firstName;

    /// <summary>In how many ways it can turn out, mixes not counted; at most <paramref name="most"/>.</summary>
    public long Ways(long most)
    {
        var ways = 1L;
        foreach (var doubt in _doubts)
        {
            ways *= doubt.Whole;
            if (ways >= most) return most;
        }

        return ways;
    }

    public int[] Newest() => [.. _doubts.Select(doubt => doubt.Newest)];

    /// <summary>One way it can turn out. The image is overwritten by the next.</summary>
    public CrashImage Build(ReadOnlySpan<int> options, CrashImage image)
    {
        image.Begin(_disk.Directories);
        for (var i = _firstName; i < _doubts.Count; i++)
            if (options[i] != 0) image.Apply(_doubts[i].Names!.Changes);
        image.Reach(_disk.Files);
        for (var i = 0; i < _firstLength; i++)
        {
            var sector = _doubts[i].Sector!;
            sector.Page.Chosen[sector.Sector] = sector.Options[options[i]];
            if (options[i] == 0 || !image.Holds(sector.Page.File)) continue;
            var (file, page) = (sector.Page.File, sector.Page.Number);
            image.Hash += file.HashOf(page, sector.Sector, sector.Options[options[i]])
                - file.HashOf(page, sector.Sector, sector.Options[0]);
        }

        for (var i = _firstLength; i < _firstName; i++)
            if (options[i] != 0) image.SetLength(_doubts[i].Length!, _doubts[i].Length!.Lengths[options[i] - 1]);
        image.End();
        return image;
    }

    /// <summary>Describes the option of each choice, for a reader of a failure.</summary>
    public string Describe(int[] options) => string.Join("; ", options.Select((option, i) => _doubts[i] switch
    {
        { Sector: { } sector } =>
            $"file {sector.Page.File.Id} page {sector.Page.Number} sector {sector.Sector}: {option} of {sector.Newest}",
        { Length: { } length } => $"file {length.Id} length: {option} of {length.Lengths.Count}",
        var names => $"{string.Join(", ", names.Names!.Changes)}: {(option == 0 ? "lost" : "kept")}",
    }));

    /// <summary>A finalizer of a hash: every bit of the input reaches every bit.</summary>
    public static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }

    /// <summary>The nodes that have a name in some outcome.</summary>
    private HashSet<int> Reachable()
    {
        var found = new HashSet<int>();
        foreach (var entries in _disk.Directories.Values) found.UnionWith(entries.Values);
        foreach (var names in _disk.Names)
            foreach (var change in names.Changes) found.Add(change.Node);
        return found;
    }
}
