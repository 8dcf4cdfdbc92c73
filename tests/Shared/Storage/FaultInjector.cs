using System.Collections.Concurrent;
using Varve.Epochs;
using Varve.Storage;

namespace Varve.Tests.Shared;

/// <summary>
/// Lets a test see, delay and fail the calls that it passes on to another storage. What it passes on, it passes on one
/// at a time, so that a test can look at a disk that holds still.
/// <para>
/// <see cref="Before"/> runs before a call and may throw instead of it. It may use another engine, so the locks of the
/// engine that called do not count there (<see cref="HeldLocks.LeaveEngine"/>). <see cref="Operations"/> is the trace:
/// what changes the disk, in order, with paths relative to the root; the golden files of operation order are made of
/// its lines. <see cref="Paths"/> is every path that a call named.
/// </para>
/// </summary>
internal sealed class FaultInjector(IStorage inner, string? root = null) : StorageLayer(inner)
{
    private static readonly HashSet<string> Unchanging =
        ["list", "open", "chmod", "lock", "share", "isshared", "read", "map"];

    private readonly Lock _turn = new();
    private readonly Lock _traceLock = new();
    private readonly List<string> _operations = [];
    private readonly ConcurrentDictionary<string, byte> _paths = [];
    private volatile Action<string, string>? _before;
    private int _failAt = -1;

    /// <summary>Gets the operation and the path before the call is made; null: nothing happens.</summary>
    public Action<string, string>? Before
    {
        get => _before;
        set => _before = value;
    }

    /// <summary>Runs before somebody takes the address of a mapping.</summary>
    public Action? BeforeAddress { get; init; }

    /// <summary>False: as on a file system without links.</summary>
    public bool CanLink { get; set; } = true;

    /// <summary>The number of links asked for.</summary>
    public int Links { get; private set; }

    /// <summary>True if <see cref="Paths"/> is recorded.</summary>
    public bool KeepsPaths { get; init; }

    public IEnumerable<string> Paths => _paths.Keys;

    /// <summary>Every operation that changes the disk, where a root was given.</summary>
    public IReadOnlyList<string> Operations
    {
        get
        {
            lock (_traceLock) return [.. _operations];
        }
    }

    /// <summary>Fails the traced operation of this number, counted from 0, once and before it is done.</summary>
    public void FailAt(int number) => _failAt = number;

    /// <summary>Runs something while no operation is under way.</summary>
    public T WhileStill<T>(Func<T> action)
    {
        lock (_turn) return action();
    }

    public override void CreateDirectory(string path) => Do("mkdir", path, () => Inner.CreateDirectory(path));

    public override bool DirectoryExists(string path) => Inner.DirectoryExists(Named(path));

    public override bool FileExists(string path) => Inner.FileExists(Named(path));

    public override IReadOnlyList<string> List(string directory) => Do("list", directory, () => Inner.List(directory));

    public override string ResolveLink(string path) => Inner.ResolveLink(Named(path));

    public override void MakeReadOnly(string path) => Do("chmod", path, () => Inner.MakeReadOnly(path));

    public override IStorageFile Open(string path, FileIntent intent) =>
        new InjectedFile(
            Do(intent == FileIntent.CreateNew ? "create" : "open", path, () => Inner.Open(path, intent)), this);

    public override void SyncDirectory(string path) => Do("sync directory", path, () => Inner.SyncDirectory(path));

    public override bool TryLink(string existingPath, string newPath)
    {
        Links++;
        return Do("link", newPath, () => CanLink && Inner.TryLink(existingPath, newPath), existingPath);
    }

    public override void Rename(string from, string to) => Do("rename", to, () => Inner.Rename(from, to), from);

    public override void Delete(string path)
    {
        if (root is null || Inner.FileExists(path)) Do("delete", path, () => Inner.Delete(path));
        else Inner.Delete(path);
    }

    public override void DeleteDirectory(string path) => Do("rmdir", path, () => Inner.DeleteDirectory(path));

    public override IDisposable? TryLock(string path) => Do("lock", path, () => Inner.TryLock(path));

    public override IDisposable? TryLockExisting(string path) => Do("lock", path, () => Inner.TryLockExisting(path));

    public override IDisposable? TryShare(string path) => Do("share", path, () => Inner.TryShare(path));

    public override bool IsShared(string path) => Do("isshared", path, () => Inner.IsShared(path));

    public override IStorageFile? TryTakeOver(string path, string newPath) =>
        Do("take over", newPath, () => Inner.TryTakeOver(path, newPath), path) is { } file
            ? new InjectedFile(file, this)
            : null;

    private T Do<T>(string operation, string path, Func<T> action, string? from = null)
    {
        Enter(operation, path, from);
        lock (_turn) return action();
    }

    private void Do(string operation, string path, Action action, string? from = null)
    {
        Enter(operation, path, from);
        lock (_turn) action();
    }

    private void Enter(string operation, string path, string? from = null)
    {
        Named(path);
        if (from is not null) Named(from);
        if (_before is { } before)
            using (HeldLocks.LeaveEngine())
                before(operation, path);
        if (root is null || Unchanging.Contains(operation)) return;
        int number;
        lock (_traceLock)
        {
            number = _operations.Count;
            var target = Path.GetRelativePath(root, path);
            _operations.Add(
                $"{operation} {(from is null ? target : $"{Path.GetRelativePath(root, from)} -> {target}")}");
        }

        if (number == _failAt) throw new IOException($"injected failure of operation {number}: {operation}");
    }

    private string Named(string path)
    {
        if (KeepsPaths) _paths.TryAdd(Path.GetFullPath(path), 0);
        return path;
    }

    private sealed class InjectedFile(IStorageFile file, FaultInjector owner) : FileLayer(file)
    {
        public override void Read(long offset, Span<byte> destination)
        {
            owner.Enter("read", Path);
            base.Read(offset, destination);
        }

        public override void Write(long offset, ReadOnlySpan<byte> source)
        {
            owner.Enter("write", Path);
            lock (owner._turn) base.Write(offset, source);
        }

        public override void Allocate(long length) => owner.Do("allocate", Path, () => base.Allocate(length));

        public override void Truncate(long length) => owner.Do("truncate", Path, () => base.Truncate(length));

        public override void Sync() => owner.Do("sync", Path, base.Sync);

        public override void Sync(IMapping mapping, long offset, long length) =>
            owner.Do("sync", Path, () => base.Sync(mapping, offset, length));

        public override IMapping Map(long length, MappingAccess access) =>
            new InjectedMapping(owner.Do("map", Path, () => Inner.Map(length, access)), Path, owner);
    }

    private sealed unsafe class InjectedMapping(IMapping mapping, string path, FaultInjector owner)
        : MappingLayer(mapping)
    {
        public override byte* Address
        {
            get
            {
                owner.BeforeAddress?.Invoke();
                return base.Address;
            }
        }

        public override void Sync(long offset, long length) =>
            owner.Do("sync", path, () => base.Sync(offset, length));
    }
}
