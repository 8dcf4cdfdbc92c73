using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using Varve.Storage;

namespace Varve.Snapshots;

/// <summary>
/// The directory in which a snapshot appears, all of it or nothing.
/// <para>
/// The snapshot is built in a directory of its own beside the target and renamed there. A rename onto a directory that
/// has something in it fails, so that of several builders, of several processes too, the first to finish has the target
/// and the others fail: nobody else writes to what a builder publishes. A builder that is gone leaves its directory
/// behind; whoever publishes next removes it. It moves such a directory away before it empties it, so that a builder
/// that is alive after all cannot publish a part.
/// </para>
/// <para>
/// A target that cannot be replaced, a mount point, is built in: its claim is a file that only one can create, and the
/// manifest, without which there is no snapshot, is moved in last.
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

    /// <summary>Where the files are gathered.</summary>
    public string Building { get; }

    /// <summary>
    /// Of the names beside the target that are ours. A hash of its name: the name itself may be as long as a name can
    /// be.
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
    /// Begins a snapshot in a directory that is not there or is empty, or in what a link to such a directory names.
    /// </summary>
    /// <exception cref="IOException">The directory is not empty, or another snapshot is being made in it.</exception>
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

    /// <summary>Another snapshot was made here meanwhile, whose builder removed what this one had gathered.</summary>
    public bool IsTaken =>
        !_isInside && !_isPublished && _storage.DirectoryExists(_target) && _storage.List(_target).Count > 0;

    /// <summary>Shows what was gathered and synced under the target's name, durably.</summary>
    /// <exception cref="IOException">The disk failed, or the target <see cref="IsTaken"/>.</exception>
    public void Publish()
    {
        if (_isInside) MoveIn();
        else Replace();
    }

    /// <summary>Removes what was gathered, or published.</summary>
    public void Abandon()
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
                $"{target}: another snapshot is being made here, or was cut off; empty the directory");
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
            // What it names is there before it.
            if (name == Format.SnapshotNames.Manifest) _storage.SyncDirectory(_target);
            _storage.Rename(Path.Combine(Building, name), Path.Combine(_target, name));
            _moved.Add(name);
        }

        _storage.DeleteDirectory(Building);
        _storage.Delete(Path.Combine(_target, ClaimName));
        _storage.SyncDirectory(_target);
    }

    /// <summary>Removes what other builders of this target left or are at work on: they can publish no more.</summary>
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
            // The snapshot is made; the next one of this name tries again.
        }
    }
}
