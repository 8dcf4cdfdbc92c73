using Varve.Storage;

namespace Varve.Tests.Shared;

/// <summary>A storage above another one: passes every call on. A test overrides the calls that it is about.</summary>
internal abstract class StorageLayer(IStorage inner) : IStorage
{
    protected IStorage Inner { get; } = inner;

    public virtual void CreateDirectory(string path) => Inner.CreateDirectory(path);

    public virtual bool DirectoryExists(string path) => Inner.DirectoryExists(path);

    public virtual bool FileExists(string path) => Inner.FileExists(path);

    public virtual IReadOnlyList<string> List(string directory) => Inner.List(directory);

    public virtual string ResolveLink(string path) => Inner.ResolveLink(path);

    public virtual void MakeReadOnly(string path) => Inner.MakeReadOnly(path);

    public virtual IStorageFile Open(string path, FileIntent intent) => Inner.Open(path, intent);

    public virtual long? SpaceLeft(string directory) => Inner.SpaceLeft(directory);

    public virtual void SyncDirectory(string path) => Inner.SyncDirectory(path);

    public virtual bool TryLink(string existingPath, string newPath) => Inner.TryLink(existingPath, newPath);

    public virtual void Rename(string from, string to) => Inner.Rename(from, to);

    public virtual void Delete(string path) => Inner.Delete(path);

    public virtual void DeleteDirectory(string path) => Inner.DeleteDirectory(path);

    public virtual IDisposable? TryLock(string path) => Inner.TryLock(path);

    public virtual IDisposable? TryLockExisting(string path) => Inner.TryLockExisting(path);

    public virtual IDisposable? TryShare(string path) => Inner.TryShare(path);

    public virtual bool IsShared(string path) => Inner.IsShared(path);

    public virtual IStorageFile? TryTakeOver(string path, string newPath) => Inner.TryTakeOver(path, newPath);
}
