using Varve.Tests.Shared.Disk;
using Varve.Tests.Simulation.Lives;

namespace Varve.Tests.Simulation.Crash;

/// <summary>
/// The snapshots of a life, byte for byte as they were acknowledged. After a power loss a snapshot's directory is not
/// there, or all of it is: it is renamed into place when everything in it is durable. Once acknowledged it is there.
/// </summary>
internal sealed class WholeSnapshots
{
    private readonly Dictionary<SnapshotTaken, Dictionary<string, (ulong Hash, long Length)>> _contents = [];
    private readonly List<SnapshotTaken> _begun = [];
    private readonly HashSet<SnapshotTaken> _kept = [];

    public WholeSnapshots(UnsyncedDisk disk, IEnumerable<SimEvent> events)
    {
        var image = new CrashImage();
        foreach (var happened in events)
        {
            disk.Apply(happened);
            if (happened.Note is not SnapshotKept(var snapshot)) continue;
            var point = new CrashPoint(disk);
            point.Build(new int[point.Doubts.Count], image); // what is durable
            _contents[snapshot] = ContentOf(image, snapshot.Path)
                ?? throw new WrongRecoveryException($"{snapshot.Path} is acknowledged, and not durable");
        }
    }

    public void Apply(object? note)
    {
        if (note is SnapshotBegun(var begins)) _begun.Add(begins);
        if (note is SnapshotKept(var isKept)) _kept.Add(isKept);
    }

    /// <summary>Looks at an image.</summary>
    public void Check(CrashImage image)
    {
        foreach (var snapshot in _begun)
        {
            if (!_contents.TryGetValue(snapshot, out var whole)) continue;
            var found = ContentOf(image, snapshot.Path);
            if (found is null && _kept.Contains(snapshot))
                throw new WrongRecoveryException($"{snapshot.Path} was acknowledged, and is gone");
            if (found is null) continue;
            foreach (var (name, content) in whole)
            {
                if (!found.TryGetValue(name, out var there))
                    throw new WrongRecoveryException($"{snapshot.Path} lacks {name}");
                if (there != content) throw new WrongRecoveryException($"{snapshot.Path}/{name} is not what it was");
            }

            if (found.Count != whole.Count)
                throw new WrongRecoveryException($"{snapshot.Path} has more than it should");
        }
    }

    private static Dictionary<string, (ulong Hash, long Length)>? ContentOf(CrashImage image, string path)
    {
        var node = image.Find(path);
        if (node == 0) return null;
        var content = new Dictionary<string, (ulong, long)>();
        foreach (var (name, id) in image.Entries(node))
        {
            var (file, length) = image.Files[id];
            var hash = file.Hash;
            foreach (var page in file.Pending.Values)
                for (var sector = 0; sector < Page.Sectors; sector++)
                    hash += file.HashOf(page.Number, sector, page.Chosen[sector])
                        - file.HashOf(page.Number, sector, file.Durable[page.Number]);
            content[name] = (hash, length);
        }

        return content;
    }
}
