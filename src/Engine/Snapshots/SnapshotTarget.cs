using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using Varve.Storage;

namespace Varve.Snapshots;

/// <summary>
/// The directory of a snapshot under construction. Publishing shows the whole snapshot or nothing.
/// <para>
/// A builder gathers the files in its own directory beside the target, and renames it to the target. A rename onto a
/// directory with content fails: of several builders, in any process, the first to finish gets the target, and the
/// others fail. No other builder writes to a published snapshot. A builder that died leaves its directory behind, and
/// the next one to publish deletes it. It renames such a directory before it empties it, so a builder that is still
/// alive cannot publish a part.
/// </para>
/// <para>
/// A target that cannot be replaced (a mount point) is filled in place: a claim file, which only one builder can
/// create, reserves it, and the manifest, which makes it a snapshot, is moved in last.
/// </para>
/// </summary>
internal sealed class SnapshotTarget
{
    private const string ClaimName = ".varve-claim";
    private const string InsideName = ".varve-building";
    private readonly IStorage _storage;
    private readonly string _target;
    private readonly string _parent;
    private readonly bool _isInside;
    private readonly List<string> _moved = [];
    private bool _isPublished;

    private SnapshotTarget(IStorage storage, string target, bool isInside)
    {
        (_storage, _target, _isInside) = (storage, target, isInside);
        _parent = Path.GetDirectoryName(target)!;
        Building = isInside ? Path.Combine(target, InsideName) : Path.Combine(_parent, Prefix + Suffix());
    }

    /// <summary>Path of the directory that gathers the files.</summary>
    public string Building { get; }

    /// <summary>
    /// Prefix of the builders' directories beside the target. Has a hash of the target's name, which may itself have
    /// the greatest length of a name.
    /// </summary>
    private string Prefix
    {
        get
        {
            var hash = XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(Path.GetFileName(_target)));
            return $".varve-{hash.ToString("x16", CultureInfo.InvariantCulture)}-";
        }
    }

    /// <summary>
    /// Begins a snapshot in a directory that is absent or empty, or in the target of a link to such a directory.
    /// </summary>
    /// <exception cref="IOException">The directory is not empty, or another builder has claimed it.</exception>
    public static SnapshotTarget Begin(IStorage storage, string path)
    {
        var target = storage.ResolveLink(path);
        if (storage.FileExists(target)) throw new IOException($"{target}: exists and is not a directory");
        EnsureEmpty(storage, target);
        var begun = new SnapshotTarget(
            storage, target, isInside: storage.DirectoryExists(target) && !CanBeReplaced(storage, target));
        DirectoryTree.CreateDurably(storage, begun._parent);
        begun.Claim();
        storage.CreateDirectory(begun.Building);
        return begun;
    }

    /// <summary>
    /// True if another builder has published a snapshot here, and so may have deleted this builder's files.
    /// </summary>
    public bool IsTaken =>
        !_isInside && !_isPublished && _storage.DirectoryExists(_target) && _storage.List(_target).Count > 0;

    /// <summary>Gives the gathered, synced files the target's name, durably.</summary>
    /// <exception cref="IOException">The disk failed, or the target <see cref="IsTaken"/>.</exception>
    public void Publish()
    {
        if (_isInside) MoveIn();
        else Replace();
    }

    /// <summary>Deletes the gathered or published files.</summary>
    public void Delete()
    {
        if (!_isInside)
        {
            DirectoryTree.Delete(_storage, _isPublished ? _target : Building);
            return;
        }

        _moved.Reverse(); // the manifest first
        foreach (var name in _moved) _storage.Delete(Path.Combine(_target, name));
        DirectoryTree.Delete(_storage, Building);
        _storage.Delete(Path.Combine(_target, ClaimName));
    }

    private static void EnsureEmpty(IStorage storage, string target)
    {
        if (!storage.DirectoryExists(target)) return;
        var names = storage.List(target);
        if (names.Contains(ClaimName))
            throw new IOException(
                $"{target}: another snapshot is being made here, or its builder died; empty the directory if none is");
        if (names.Count > 0) throw new IOException($"{target}: the snapshot's directory is not empty");
    }

    private static bool CanBeReplaced(IStorage storage, string target)
    {
        try
        {
            storage.DeleteDirectory(target);
        }
        catch (IOException)
        {
            return false;
        }

        storage.CreateDirectory(target);
        return true;
    }

    private static string Suffix() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    private void Claim()
    {
        if (!_isInside) return;
        try
        {
            _storage.Open(Path.Combine(_target, ClaimName), FileIntent.CreateNew).Dispose();
        }
        catch (IOException e) when (_storage.FileExists(Path.Combine(_target, ClaimName)))
        {
            throw new IOException($"{_target}: another snapshot is being made here", e);
        }

        if (_storage.List(_target).Count == 1) return;
        _storage.Delete(Path.Combine(_target, ClaimName));
        throw new IOException($"{_target}: the snapshot's directory is not empty");
    }

    private void Replace()
    {
        _storage.DeleteDirectory(_target);
        _storage.Rename(Building, _target);
        _isPublished = true;
        _storage.SyncDirectory(_parent);
        RemoveRivals();
    }

    private void MoveIn()
    {
        foreach (var name in _storage.List(Building).OrderBy(name => name == Format.SnapshotNames.Manifest))
        {
            // The tables' names are durable before the manifest's.
            if (name == Format.SnapshotNames.Manifest) _storage.SyncDirectory(_target);
            _storage.Rename(Path.Combine(Building, name), Path.Combine(_target, name));
            _moved.Add(name);
        }

        _storage.DeleteDirectory(Building);
        _storage.Delete(Path.Combine(_target, ClaimName));
        _storage.SyncDirectory(_target);
    }

    /// <summary>
    /// Deletes the directories of other builders of this target, dead or alive: they can publish no more.
    /// </summary>
    private void RemoveRivals()
    {
        try
        {
            foreach (var name in _storage.List(_parent))
            {
                if (!name.StartsWith(Prefix, StringComparison.Ordinal)) continue;
                var away = Path.Combine(_parent, Prefix + Suffix());
                _storage.Rename(Path.Combine(_parent, name.TrimEnd('/')), away);
                DirectoryTree.Delete(_storage, away);
            }
        }
        catch (IOException)
        {
            // The snapshot is published. The next builder of this name tries again.
        }
    }
}
