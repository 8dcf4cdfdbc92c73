using System.Collections.Concurrent;
using Varve.Storage;

namespace Varve.Tests.Engine.Hostile;

/// <summary>Passes everything on, and keeps every path that was opened, made, moved, removed or asked for.</summary>
internal sealed class PathRecorder(IStorage inner) : IStorage
{
    private readonly ConcurrentDictionary<string, byte> _paths = [];

    public IEnumerable<string> Paths => _paths.Keys;

    public int Links { get; private set; }

    public void CreateDirectory(string path) => inner.CreateDirectory(Noted(path));

    public bool DirectoryExists(string path) => inner.DirectoryExists(Noted(path));

    public bool FileExists(string path) => inner.FileExists(Noted(path));

    public IReadOnlyList<string> List(string directory) => inner.List(Noted(directory));

    public string ResolveLink(string path) => inner.ResolveLink(Noted(path));

    public void MakeReadOnly(string path) => inner.MakeReadOnly(Noted(path));

    public IStorageFile Open(string path, FileIntent intent) => inner.Open(Noted(path), intent);

    public void SyncDirectory(string path) => inner.SyncDirectory(Noted(path));

    public bool TryLink(string existingPath, string newPath)
    {
        Links++;
        return inner.TryLink(Noted(existingPath), Noted(newPath));
    }

    public void Rename(string from, string to) => inner.Rename(Noted(from), Noted(to));

    public void Delete(string path) => inner.Delete(Noted(path));

    public void DeleteDirectory(string path) => inner.DeleteDirectory(Noted(path));

    public IDisposable? TryLock(string path) => inner.TryLock(Noted(path));

    public IDisposable? TryLockExisting(string path) => inner.TryLockExisting(Noted(path));

    private string Noted(string path)
    {
        _paths.TryAdd(Path.GetFullPath(path), 0);
        return path;
    }
}
